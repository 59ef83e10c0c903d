/* digest.c -- tests of SHA-256 with the vectors of FIPS 180.
 * SPDX-License-Identifier: MIT */
#include "base/digest.h"

#include <stdlib.h>
#include <string.h>

#include "tests/base/scene.h"

static const struct {
	const char *text, *hex;
} vectors[] = {
	{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};
enum { VECTORS = sizeof vectors / sizeof *vectors };
static const char million_a[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

START_TEST(published_vectors_come_out)
{
	char hex[DIGEST_HEX + 1];
	ck_ok(digest_bytes(vectors[_i].text, strlen(vectors[_i].text), hex, &e));
	ck_assert_str_eq(hex, vectors[_i].hex);
}
END_TEST

START_TEST(pieces_give_the_digest_of_the_whole)
{
	char hex[DIGEST_HEX + 1], piece[777];
	struct digest *d = digest_new();
	memset(piece, 'a', sizeof piece);
	for (size_t left = 1000000; left;) {
		size_t n = left < sizeof piece ? left : sizeof piece;
		digest_update(d, piece, n);
		left -= n;
	}
	digest_final(d, hex);
	digest_free(d);
	ck_assert_str_eq(hex, million_a);
}
END_TEST

START_TEST(a_file_has_the_digest_of_its_bytes)
{
	char hex[DIGEST_HEX + 1], *text = malloc(1000001);
	memset(text, 'a', 1000000);
	text[1000000] = '\0';
	write_text(in_folder("a"), text);
	free(text);
	ck_ok(digest_file(in_folder("a"), hex, &e));
	ck_assert_str_eq(hex, million_a);
	write_text(in_folder("a"), "");
	ck_ok(digest_file(in_folder("a"), hex, &e));
	ck_assert_str_eq(hex, vectors[0].hex);
}
END_TEST

START_TEST(a_file_that_is_missing_or_a_folder_is_named)
{
	char hex[DIGEST_HEX + 1];
	ck_fails(ERR_NOT_FOUND, digest_file(in_folder("missing"), hex, &e));
	ck_assert_ptr_nonnull(strstr(e.msg, in_folder("missing")));
	ck_fails(ERR_IO, digest_file(directory, hex, &e));
}
END_TEST

START_TEST(only_64_lower_case_hexadecimal_digits_are_a_digest)
{
	char text[DIGEST_HEX + 2];
	strcpy(text, vectors[0].hex);
	ck_assert(digest_valid(text));
	text[63] = 'g';
	ck_assert(!digest_valid(text));
	text[63] = 'F';
	ck_assert(!digest_valid(text));
	text[63] = '\0';
	ck_assert(!digest_valid(text));
	strcpy(text, vectors[0].hex);
	strcat(text, "0");
	ck_assert(!digest_valid(text));
	ck_assert(!digest_valid(""));
	ck_assert(!digest_valid(NULL));
}
END_TEST

Suite *suite_digest(void)
{
	Suite *s = suite_create("digest");
	TCase *c = scene_case(s, "digest");
	tcase_add_loop_test(c, published_vectors_come_out, 0, VECTORS);
	tcase_add_test(c, pieces_give_the_digest_of_the_whole);
	tcase_add_test(c, a_file_has_the_digest_of_its_bytes);
	tcase_add_test(c, a_file_that_is_missing_or_a_folder_is_named);
	tcase_add_test(c, only_64_lower_case_hexadecimal_digits_are_a_digest);
	return s;
}
