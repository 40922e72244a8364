// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The echod developers
//
// Looks at pages in a browser, for tests/nightly/axe, which calls it:
//
//     node axe.mjs FOLDER CHROMIUM NAME=URL...
//
// Prints a line of JSON for each page and check: {"page":, "check":, "faults": [text, ...]}.

import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const [folder, chromium, ...pages] = process.argv.slice(2);
const load = createRequire(`${resolve(folder)}/`);
const axe = load.resolve('axe-core/axe.min.js');
const { HtmlValidate } = load('html-validate');
const puppeteer = load('puppeteer-core');

const views = {
	desktop: { width: 1280, height: 800, colours: 'light' },
	dark: { width: 1280, height: 800, colours: 'dark' },
	phone: { width: 320, height: 640, colours: 'light' },
};

function report(page, check, faults) {
	console.log(JSON.stringify({ page, check, faults }));
}

async function validity(html) {
	const { results } = await new HtmlValidate({ extends: ['html-validate:standard'] }).validateString(html);

	return results.flatMap(({ messages }) => messages.map((one) => `line ${one.line}: ${one.message}`));
}

// Rules of every level, and those that are only good practice.
async function accessibility(tab) {
	await tab.addScriptTag({ path: axe });
	const { violations, passes } = await tab.evaluate(() => window.axe.run());

	if (passes.length < 10)
		return ['axe had hardly anything to look at'];
	return violations.map(({ id, impact, help, nodes }) =>
		`${id} (${impact}): ${help}: ${nodes.map((node) => node.html).slice(0, 3).join(' ')}`);
}

// Nothing is wider than the window.
function width(tab) {
	return tab.evaluate(() => [...document.querySelectorAll('body *')]
		.filter((one) => one.getBoundingClientRect().right > window.innerWidth + 0.5 ||
			document.scrollingElement.scrollWidth > window.innerWidth)
		.slice(0, 3).map((one) => `wider than ${window.innerWidth}: ${one.outerHTML.slice(0, 80)}`));
}

// With Tab, every link and summary is reached once, in their order, and shows that it is.
async function keyboard(tab) {
	const wanted = await tab.evaluate(() => {
		window.all = [...document.querySelectorAll('a[href], summary, button, input, select')]
			.filter((one) => one.getClientRects().length > 0);
		return window.all.length;
	});
	const faults = wanted === 0 ? ['nothing to reach'] : [];

	for (let at = 0; at < wanted; at++) {
		await tab.keyboard.press('Tab');
		const found = await tab.evaluate(() => ({
			at: window.all.indexOf(document.activeElement),
			shown: getComputedStyle(document.activeElement).outlineStyle !== 'none',
		}));
		if (found.at !== at || !found.shown)
			faults.push(`Tab number ${at + 1} reached ${JSON.stringify(found)}`);
	}
	return faults;
}

// What is folded away opens with Enter.
async function folds(tab) {
	const faults = [];

	for (const fold of await tab.$$('details')) {
		const before = await fold.evaluate((one) => one.open);

		await (await fold.$('summary')).focus();
		await tab.keyboard.press('Enter');
		if (await fold.evaluate((one) => one.open) === before)
			faults.push('Enter does not unfold it');
		else if (before)
			await tab.keyboard.press('Enter');
	}
	return faults;
}

async function look(browser, name, url) {
	report(name, 'valid HTML', await validity(await (await fetch(url)).text()));
	for (const [view, { width: wide, height, colours }] of Object.entries(views)) {
		const tab = await browser.newPage();

		await tab.setBypassCSP(true);
		await tab.setViewport({ width: wide, height });
		await tab.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: colours }]);
		await tab.goto(url);
		report(name, `${view}: keyboard`, await keyboard(tab));
		report(name, `${view}: folds`, await folds(tab));
		report(name, `${view}: width`, await width(tab));
		report(name, `${view}: axe`, await accessibility(tab));
		await tab.close();
	}
}

const browser = await puppeteer.launch({
	executablePath: chromium, args: ['--no-sandbox', '--disable-gpu'] });

try {
	for (const page of pages) {
		const [name, url] = page.split(/=(.*)/s);

		await look(browser, name, url);
	}
} finally {
	await browser.close();
}
