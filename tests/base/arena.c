/* arena.c -- tests of memory that is freed in one call.
 * SPDX-License-Identifier: MIT */
#include "base/arena.h"

#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/base/scene.h"

static struct arena *a;

static void set(void)
{
	a = arena_new();
	ck_assert_ptr_nonnull(a);
}

static void strike(void)
{
	arena_free(a);
}

static bool all_zero(const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

START_TEST(every_allocation_is_aligned_and_zeroed)
{
	static const size_t sizes[] = { 1, 3, 64, 65, 1000, 65535, 65536, 65537, 5000000 };
	for (int round = 0; round < 3; round++) {
		struct arena_mark m = arena_mark(a);
		for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
			unsigned char *p = arena_alloc(a, sizes[i], 1);
			ck_assert_ptr_nonnull(p);
			ck_assert_uint_eq((uintptr_t)p % 64, 0);
			ck_assert(all_zero(p, sizes[i]));
			memset(p, 0xff, sizes[i]);
		}
		arena_reset(a, m);
	}
}
END_TEST

START_TEST(allocations_do_not_overlap)
{
	enum { N = 500 };
	static unsigned char *p[N];
	static size_t len[N];
	for (size_t i = 0; i < N; i++) {
		len[i] = 1 + i * 7919 % 3000;
		p[i] = arena_alloc(a, 1, len[i]);
		memset(p[i], (int)(i % 255) + 1, len[i]);
	}
	for (size_t i = 0; i < N; i++)
		for (size_t k = 0; k < len[i]; k++)
			ck_assert_int_eq(p[i][k], (int)(i % 255) + 1);
}
END_TEST

START_TEST(zero_bytes_give_a_valid_pointer)
{
	ck_assert_ptr_nonnull(arena_alloc(a, 0, 8));
	ck_assert_ptr_nonnull(arena_alloc(a, 8, 0));
}
END_TEST

START_TEST(a_size_that_overflows_gives_null_and_harms_nothing)
{
	volatile size_t huge = SIZE_MAX;
	ck_assert_ptr_null(arena_alloc(a, huge / 2, 3));
	ck_assert_ptr_null(arena_alloc(a, huge, 1));
	ck_assert_ptr_null(arena_alloc(a, huge - 64, 1));
	ck_assert_ptr_nonnull(arena_alloc(a, 10, 1));
}
END_TEST

START_TEST(reset_releases_everything_after_the_mark)
{
	char *kept = arena_strdup(a, "kept");
	struct arena_mark m = arena_mark(a);
	size_t used = arena_used(a);
	for (int i = 0; i < 100; i++)
		ck_assert_ptr_nonnull(arena_alloc(a, 10000, 1));
	ck_assert_uint_ge(arena_used(a), used + 1000000);
	arena_reset(a, m);
	ck_assert_uint_eq(arena_used(a), used);
	ck_assert_str_eq(kept, "kept");
}
END_TEST

START_TEST(marks_nest)
{
	struct arena_mark empty = arena_mark(a);
	arena_alloc(a, 70000, 1);
	struct arena_mark outer = arena_mark(a);
	size_t outer_used = arena_used(a);
	arena_alloc(a, 200000, 1);
	struct arena_mark inner = arena_mark(a);
	size_t inner_used = arena_used(a);
	arena_alloc(a, 400000, 1);
	arena_reset(a, inner);
	ck_assert_uint_eq(arena_used(a), inner_used);
	arena_reset(a, outer);
	ck_assert_uint_eq(arena_used(a), outer_used);
	arena_reset(a, empty);
	ck_assert_uint_eq(arena_used(a), 0);
}
END_TEST

START_TEST(a_block_too_small_is_kept_for_later)
{
	struct arena_mark m = arena_mark(a);
	for (int round = 0; round < 50; round++) {
		for (size_t n = 1000; n < 3000000; n *= 3) {
			unsigned char *p = arena_alloc(a, (size_t)(round % 3 + 1) * n, 1);
			ck_assert_ptr_nonnull(p);
			ck_assert(all_zero(p, n));
			p[0] = p[n - 1] = 1;
		}
		arena_reset(a, m);
	}
	ck_assert_uint_eq(arena_used(a), 0);
}
END_TEST

START_TEST(copies_of_strings_are_terminated)
{
	ck_assert_str_eq(arena_strdup(a, ""), "");
	ck_assert_str_eq(arena_strdup(a, "group"), "group");
	ck_assert_str_eq(arena_strndup(a, "features.0.weight", 8), "features");
	ck_assert_str_eq(arena_strndup(a, "x", 0), "");
}
END_TEST

START_TEST(freeing_nothing_is_fine)
{
	arena_free(NULL);
}
END_TEST

#if defined(__SANITIZE_ADDRESS__)
START_TEST(an_overrun_by_one_byte_is_seen)
{
	pid_t child = fork();
	if (!child) {
		volatile char *p = arena_alloc(a, 10, 1);
		close(STDERR_FILENO);
		p[10] = 'x';
		_exit(0);
	}
	int status;
	waitpid(child, &status, 0);
	ck_assert(!WIFEXITED(status) || WEXITSTATUS(status) != 0);
}
END_TEST
#else
START_TEST(memory_is_used_again_after_a_reset)
{
	arena_alloc(a, 100, 1);
	struct arena_mark m = arena_mark(a);
	void *first = arena_alloc(a, 30000, 1);
	arena_reset(a, m);
	ck_assert_ptr_eq(arena_alloc(a, 30000, 1), first);
}
END_TEST
#endif

Suite *suite_arena(void)
{
	Suite *s = suite_create("arena");
	TCase *c = tcase_create("arena");
	tcase_add_checked_fixture(c, set, strike);
	suite_add_tcase(s, c);
	tcase_add_test(c, every_allocation_is_aligned_and_zeroed);
	tcase_add_test(c, allocations_do_not_overlap);
	tcase_add_test(c, zero_bytes_give_a_valid_pointer);
	tcase_add_test(c, a_size_that_overflows_gives_null_and_harms_nothing);
	tcase_add_test(c, reset_releases_everything_after_the_mark);
	tcase_add_test(c, marks_nest);
	tcase_add_test(c, a_block_too_small_is_kept_for_later);
	tcase_add_test(c, copies_of_strings_are_terminated);
	tcase_add_test(c, freeing_nothing_is_fine);
#if defined(__SANITIZE_ADDRESS__)
	tcase_add_test(c, an_overrun_by_one_byte_is_seen);
#else
	tcase_add_test(c, memory_is_used_again_after_a_reset);
#endif
	return s;
}
