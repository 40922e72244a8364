/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * One line of a terminal that is drawn over itself and then erased. Standard output has to be one.
 */

#pragma once

/* TEXT takes WIDTH columns; what the terminal has no room for has to be left out by the caller. */
void live_line_draw(const char *text, unsigned width);
void live_line_erase(void);
