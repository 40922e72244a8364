/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The hash and the keyed hash against the published values, however the message is cut. */

#include "config.h"

#include "base/sha256.h"

#include "support/test.h"

#define DIGEST_TEXT (2 * SHA256_SIZE + 1)

static void assert_digest(const uint8_t digest[SHA256_SIZE], const char *expected)
{
	char text[DIGEST_TEXT];

	for (int i = 0; i < SHA256_SIZE; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", digest[i]);
	ck_assert_str_eq(text, expected);
}

/* FIPS 180-4's examples, and messages on either side of what fits into one block. */
static const struct {
	const char *unit;
	unsigned times;
	const char *digest;
} hashes[] = {
	{"", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	{"abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
	 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	{"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrl"
	 "m"
	 "nopqrsmnopqrstnopqrstu",
	 1, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
	{"a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
	{"a", 55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"},
	{"a", 56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"},
	{"a", 63, "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34"},
	{"a", 64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"},
	{"a", 65, "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0"},
};

TEST_EACH(published_messages_have_their_hash, ARRAY_SIZE(hashes))
{
	uint8_t digest[SHA256_SIZE];
	struct sha256 hash;

	sha256_begin(&hash);
	for (unsigned i = 0; i < hashes[_i].times; i++)
		sha256_add(&hash, hashes[_i].unit, strlen(hashes[_i].unit));
	sha256_end(&hash, digest);
	assert_digest(digest, hashes[_i].digest);
}

#define LONGEST 200

TEST(pieces_hash_as_the_whole_does)
{
	uint8_t message[LONGEST], whole[SHA256_SIZE], pieces[SHA256_SIZE];
	struct sha256 hash;

	for (int i = 0; i < LONGEST; i++)
		message[i] = (uint8_t)(i * 7);
	for (size_t size = 0; size <= LONGEST; size++) {
		sha256_begin(&hash);
		sha256_add(&hash, message, size);
		sha256_end(&hash, whole);
		for (size_t cut = 0; cut <= size; cut++) {
			sha256_begin(&hash);
			sha256_add(&hash, message, cut);
			sha256_add(&hash, message + cut, size - cut);
			sha256_end(&hash, pieces);
			ck_assert_mem_eq(pieces, whole, SHA256_SIZE);
		}
	}
}

/* RFC 4231; a key or message that is one byte again and again is given by it and its length. */
static const struct {
	const char *key;
	size_t key_size;
	const char *message;
	size_t message_size;
	size_t shown; /* digits of the digest; test case 5 truncates it */
	const char *digest;
} keyed[] = {
	{"\x0b", 20, "Hi There", 8, 64,
	 "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
	{"Jefe", 4, "what do ya want for nothing?", 28, 64,
	 "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
	{"\xaa", 20, "\xdd", 50, 64,
	 "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
	{"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16"
	 "\x17\x18\x19",
	 25, "\xcd", 50, 64, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
	{"\x0c", 20, "Test With Truncation", 20, 32, "a3b6167473100ee06e0c796c2955552b"},
	{"\xaa", 131, "Test Using Larger Than Block-Size Key - Hash Key First", 54, 64,
	 "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
	{"\xaa", 131,
	 "This is a test using a larger than block-size key and a larger than block-size data. The "
	 "key needs to be hashed before being used by the HMAC algorithm.",
	 152, 64, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
};

static const uint8_t *bytes_of(const char *text, size_t size, uint8_t room[LONGEST])
{
	if (strlen(text) == size)
		memcpy(room, text, size);
	else
		memset(room, (uint8_t)text[0], size);
	return room;
}

TEST_EACH(published_keys_and_messages_have_their_code, ARRAY_SIZE(keyed))
{
	uint8_t key_bytes[LONGEST], message[LONGEST], digest[SHA256_SIZE];
	char text[DIGEST_TEXT];
	struct hmac_key key;
	struct sha256 hash;

	hmac_key_set(&key, bytes_of(keyed[_i].key, keyed[_i].key_size, key_bytes),
		     keyed[_i].key_size);
	hmac_begin(&hash, &key);
	sha256_add(&hash, bytes_of(keyed[_i].message, keyed[_i].message_size, message),
		   keyed[_i].message_size);
	hmac_end(&hash, &key, digest);
	for (int i = 0; i < SHA256_SIZE; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", digest[i]);
	text[keyed[_i].shown] = '\0';
	ck_assert_str_eq(text, keyed[_i].digest);
}

TEST(a_key_serves_for_many_messages)
{
	uint8_t first[SHA256_SIZE], again[SHA256_SIZE], other[SHA256_SIZE];
	const char *messages[] = {"one", "two", "one"};
	uint8_t *digests[] = {first, other, again};
	struct hmac_key key;
	struct sha256 hash;

	hmac_key_set(&key, NULL, 0);
	for (int i = 0; i < 3; i++) {
		hmac_begin(&hash, &key);
		sha256_add(&hash, messages[i], 3);
		hmac_end(&hash, &key, digests[i]);
	}
	ck_assert_mem_eq(first, again, SHA256_SIZE);
	ck_assert(!digests_equal(first, other, SHA256_SIZE));
}

TEST(digests_differ_by_any_bit)
{
	uint8_t a[16] = {1, 2, 3}, b[16];

	memcpy(b, a, sizeof(b));
	ck_assert(digests_equal(a, b, sizeof(a)));
	ck_assert(digests_equal(a, b, 0));
	for (size_t bit = 0; bit < 8 * sizeof(a); bit++) {
		b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert(!digests_equal(a, b, sizeof(a)));
		b[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}
