/* test_hostile.c -- files that are cut, flipped, bloated or no models at all are refused, or give a network that runs.
 * SPDX-License-Identifier: MIT
 *
 * Everything random comes from fixed seeds, so a failure names a file that can be made again. Bytes are always handed
 * over in an allocation of exactly their size, so that AddressSanitizer sees a read past the end. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/rng.h"
#include "evaluator/kernels/plan.h"
#include "evaluator/model/graph.h"
#include "evaluator/model/onnx.h"
#include "tests/evaluator/folder.h"
#include "tests/evaluator/forms.h"
#include "tests/evaluator/golden.h"
#include "tests/evaluator/suites.h"

struct bytes {
	unsigned char *data;
	size_t len;
};

static struct bytes sample_bytes(int which)
{
	struct bytes b;
	struct errinfo e;
	char *data;
	ck_assert_msg(!file_read(samples[which].path, SIZE_MAX, &data, &b.len, &e), "%s", e.msg);
	b.data = (unsigned char *)data;
	return b;
}

/* Reads a copy of exactly len bytes; an error must have a message and its code. */
static enum err read_exactly(const void *data, size_t len, struct graph **ret, struct errinfo *e)
{
	void *copy = malloc(len + (len == 0));
	ck_assert_ptr_nonnull(copy);
	memcpy(copy, data, len);
	*e = (struct errinfo){ 0 };
	enum err err = onnx_read_bytes(copy, len, ret, e);
	free(copy);
	ck_assert_int_eq(err, e->code);
	ck_assert(!err || e->msg[0]);
	return err;
}

/* ---- cut ---- */

enum { CUTS = 100 };

START_TEST(a_truncated_file_is_refused)
{
	struct graph *g;
	struct errinfo e;
	struct bytes b = sample_bytes(_i);
	for (size_t i = 0; i < CUTS; i++) {
		size_t len = b.len * i / CUTS;
		ck_assert_msg(read_exactly(b.data, len, &g, &e), "%zu of %zu bytes were accepted", len, b.len);
	}
	/* Near the end stand the opset and the border of the graph: every cut there. */
	for (size_t cut = 1; cut <= CUTS; cut++)
		ck_assert_msg(read_exactly(b.data, b.len - cut, &g, &e), "all but %zu bytes were accepted", cut);
	free(b.data);
}
END_TEST

/* ---- flipped ---- */

/* Which bytes are not the numbers of a tensor: flips among those are nearly all that can be noticed. */
static bool *mark_structure(const struct bytes *b, int which, size_t *ret_count)
{
	struct form f = form_open(samples[which].path);
	bool *structure = malloc(b->len);
	ck_assert_ptr_nonnull(structure);
	memset(structure, true, b->len);
	for (size_t i = 0; i < f.graph->n_initializer; i++) {
		const ProtobufCBinaryData *raw = &f.graph->initializer[i]->raw_data;
		const unsigned char *at = memmem(b->data, b->len, raw->data, raw->len);
		ck_assert_ptr_nonnull(at);
		memset(structure + (at - b->data), false, raw->len);
	}
	form_close(&f);
	*ret_count = 0;
	for (size_t i = 0; i < b->len; i++)
		*ret_count += structure[i];
	return structure;
}

/* Flips 1 to 4 bits, anywhere or among the structure only. */
static void flip(struct bytes *b, const bool *structure, struct rng *r)
{
	bool anywhere = rng_below(r, 4) == 0;
	for (uint64_t n = 1 + rng_below(r, 4); n;) {
		size_t at = rng_below(r, b->len);
		if (!anywhere && !structure[at])
			continue;
		b->data[at] ^= (unsigned char)(1u << rng_below(r, 8));
		n--;
	}
}

static int64_t kernel_area(const struct node *n)
{
	const struct attribute *a = node_attribute(n, "kernel_shape");
	int64_t area = 1;
	for (size_t i = 0; a && i < a->count; i++)
		area *= a->ints[i];
	return area;
}

/* Whether one batch is small enough for a test: numbers held and windows slid over. */
static bool is_small(const struct graph *g)
{
	static const int64_t most = 1 << 26;
	int64_t work = 0;
	for (int i = 0; i < g->node_count && work <= most; i++) {
		int64_t count = shape_count(&g->values[g->nodes[i].out[0]].shape, 1);
		work += count > most ? count : count * (kernel_area(&g->nodes[i]) + 1);
	}
	return work <= most && shape_count(&g->values[g->inputs[0]].shape, 1) <= most;
}

/* Runs g once on a batch of two; a plan may be refused with a message. */
static bool run_once(const struct graph *g)
{
	struct plan *p;
	struct errinfo e = { 0 };
	if (plan_new(g, 2, PLAN_INFER, &p, &e)) {
		ck_assert(e.msg[0]);
		return false;
	}
	for (int k = 0; k < plan_input_count(p); k++)
		for (int64_t i = 0; i < 2 * plan_input_size(p, k); i++)
			plan_input(p, k)[i] = (float)(i % 7);
	ck_assert_msg(!plan_run(p, &e), "%s", e.msg);
	volatile float sum = 0;
	for (int k = 0; k < plan_output_count(p); k++)
		for (int64_t i = 0; i < 2 * plan_output_size(p, k); i++)
			sum += plan_output(p, k)[i];
	plan_free(p);
	return true;
}

struct outcome {
	int refused, ran;
};

static void read_and_run(const struct bytes *b, struct outcome *ret)
{
	struct graph *g;
	struct errinfo e;
	if (read_exactly(b->data, b->len, &g, &e)) {
		ret->refused++;
		return;
	}
	if (is_small(g))
		ret->ran += run_once(g);
	graph_free(g);
}

static const int flips_of[SAMPLES] = { 300, 40, 40 };

START_TEST(a_file_with_flipped_bits_is_refused_or_runs)
{
	size_t places;
	struct outcome seen = { 0 };
	struct bytes b = sample_bytes(_i);
	bool *structure = mark_structure(&b, _i, &places);
	unsigned char *sound = malloc(b.len);
	ck_assert(sound && places > 1000 && places < b.len / 4);
	memcpy(sound, b.data, b.len);
	for (int i = 0; i < flips_of[_i]; i++) {
		struct rng r;
		rng_init(&r, 1, (uint64_t)i);
		memcpy(b.data, sound, b.len);
		flip(&b, structure, &r);
		read_and_run(&b, &seen);
	}
	ck_assert_int_gt(seen.refused, flips_of[_i] / 8);
	ck_assert_int_gt(seen.ran, flips_of[_i] / 16);
	free(structure);
	free(sound);
	free(b.data);
}
END_TEST

/* Bytes overwritten by a run of others: lengths and counts that no single bit gives. */
START_TEST(a_file_with_overwritten_runs_is_refused_or_runs)
{
	size_t places;
	struct outcome seen = { 0 };
	struct bytes b = sample_bytes(0);
	bool *structure = mark_structure(&b, 0, &places);
	unsigned char *sound = malloc(b.len);
	ck_assert_ptr_nonnull(sound);
	memcpy(sound, b.data, b.len);
	for (uint64_t i = 0; i < 200; i++) {
		struct rng r;
		rng_init(&r, 2, i);
		size_t at;
		do
			at = rng_below(&r, b.len - 16);
		while (!structure[at]);
		memcpy(b.data, sound, b.len);
		for (uint64_t n = 1 + rng_below(&r, 16), fill = rng_below(&r, 3); n--; at++)
			b.data[at] = fill == 0 ? 0xff : fill == 1 ? 0 : (unsigned char)rng_below(&r, 256);
		read_and_run(&b, &seen);
	}
	ck_assert_int_gt(seen.refused, 100);
	free(structure);
	free(sound);
	free(b.data);
}
END_TEST

/* ---- built to hurt ---- */

/* Bytes written from the back, so that a message's length is known when its head is written. */
struct tail {
	unsigned char *data;
	size_t at, size;
};

static struct tail tail_new(size_t size)
{
	struct tail t = { malloc(size), size, size };
	ck_assert_ptr_nonnull(t.data);
	return t;
}

/* Makes all that stands there so far a field of that number. */
static void tail_wrap(struct tail *t, unsigned field)
{
	unsigned char head[16];
	size_t n = 0;
	head[n++] = (unsigned char)(field << 3 | 2);
	for (size_t len = t->size - t->at; n == 1 || len; len >>= 7)
		head[n++] = (unsigned char)((len & 127) | (len > 127 ? 128 : 0));
	ck_assert_uint_ge(t->at, n);
	t->at -= n;
	memcpy(t->data + t->at, head, n);
}

static void refused_bytes(const void *data, size_t len, const char *what)
{
	struct graph *g;
	struct errinfo e;
	ck_assert_msg(read_exactly(data, len, &g, &e), "was accepted, expected: %s", what);
	ck_assert_msg(strstr(e.msg, what) != NULL, "expected '%s': %s", what, e.msg);
}

enum { MODEL_GRAPH = 7, GRAPH_NODE = 1, NODE_ATTRIBUTE = 5, ATTRIBUTE_GRAPH = 6 };

/* A graph in an attribute of a node of a graph, and so on: an unpacker that recurses runs out of stack. */
START_TEST(messages_nested_thousands_deep_are_refused)
{
	struct tail t = tail_new(4 << 20);
	for (int level = 0; level < 100000; level++) {
		tail_wrap(&t, ATTRIBUTE_GRAPH);
		tail_wrap(&t, NODE_ATTRIBUTE);
		tail_wrap(&t, GRAPH_NODE);
	}
	tail_wrap(&t, MODEL_GRAPH);
	refused_bytes(t.data + t.at, t.size - t.at, "nested too deeply");
	free(t.data);
}
END_TEST

START_TEST(a_graph_inside_a_node_is_refused_as_an_attribute)
{
	struct form f = form_open(samples[0].path);
	Onnx__NodeProto *n = form_node(&f, "Relu", 0);
	Onnx__GraphProto inner = *f.graph;
	inner.n_node = 0;
	form_add_attribute(&f, n, "body", ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH)->g = &inner;
	form_refused(&f, ERR_UNSUPPORTED, n->name, "'body' is a graph or a list of tensors");
	form_close(&f);
}
END_TEST

/* 2^24 nodes of no bytes at all: two bytes each in the file, hundreds unpacked. */
START_TEST(more_messages_than_memory_are_refused_before_they_are_built)
{
	size_t nodes = ((size_t)1 << 24) + 1;
	struct tail t = tail_new(2 * nodes + 16);
	for (size_t i = 0; i < nodes; i++) {
		t.data[--t.at] = 0;
		t.data[--t.at] = GRAPH_NODE << 3 | 2;
	}
	tail_wrap(&t, MODEL_GRAPH);
	refused_bytes(t.data + t.at, t.size - t.at, "too many parts");
	free(t.data);
}
END_TEST

static const struct {
	const char *bytes;
	size_t len;
	const char *what;
} fragments[] = {
	{ "", 0, "no graph" },
	{ "\n", 1, "truncated" },
	{ "\x3a", 1, "truncated" }, /* a graph without a length */
	{ "\x3a\x7f", 2, "truncated" }, /* longer than the file */
	{ "\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, "truncated" }, /* 2^64 - 1 bytes long */
	{ "\x3a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 13, "truncated" }, /* a length without an end */
	{ "\x3a\x02\x0a\x05", 4, "truncated" }, /* a node longer than its graph */
	{ "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12, "malformed" },
	{ "\x3b\x3c", 2, "malformed" }, /* groups, which ONNX does not have */
	{ "\x3f", 1, "malformed" }, /* a wire type that does not exist */
	{ "\x38\x01", 2, "not an ONNX model" }, /* a graph that is a number */
	{ "\x3a\x00", 2, "opset 0" },
	{ "ONNX is not a text format.\n", 27, "not" },
	{ "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", 10, "not" }, /* gzip */
	{ "PK\x03\x04\x14\x00\x00\x00", 8, "not" }, /* zip */
};

START_TEST(a_fragment_that_is_no_model_is_refused)
{
	refused_bytes(fragments[_i].bytes, fragments[_i].len, fragments[_i].what);
}
END_TEST

START_TEST(random_bytes_are_refused)
{
	unsigned char noise[512];
	struct graph *g;
	struct errinfo e;
	for (uint64_t i = 0; i < 500; i++) {
		struct rng r;
		rng_init(&r, 3, i);
		for (size_t k = 0; k < sizeof noise; k++)
			noise[k] = (unsigned char)rng_below(&r, 256);
		ck_assert(read_exactly(noise, rng_below(&r, sizeof noise), &g, &e));
	}
}
END_TEST

/* ---- files ---- */

static void refused_file(const char *path, enum err code, const char *what)
{
	struct graph *g;
	struct errinfo e = { 0 };
	ck_assert_int_eq(onnx_read(path, &g, &e), code);
	ck_assert_int_eq(e.code, code);
	ck_assert_msg(strstr(e.msg, path) && strstr(e.msg, what), "expected '%s': %s", what, e.msg);
}

START_TEST(what_is_not_a_model_file_is_refused_by_its_path)
{
	folder_enter();
	folder_put("empty.onnx", "", 0);
	folder_put("text.onnx", "#!/bin/sh\necho 'not a model'\n", 28);
	ck_assert(!mkdir("folder.onnx", 0700));
	refused_file("empty.onnx", ERR_INPUT, "no graph");
	refused_file("text.onnx", ERR_INPUT, "not a sound ONNX file");
	refused_file("folder.onnx", ERR_IO, "Is a directory");
	refused_file("missing.onnx", ERR_NOT_FOUND, "No such file");
	folder_leave();
}
END_TEST

START_TEST(a_refusal_names_the_file_and_the_node)
{
	struct form f = form_open(samples[0].path);
	size_t len;
	form_node(&f, "Relu", 0)->op_type = form_text(&f, "Concat");
	const uint8_t *bytes = form_pack(&f, &len);
	folder_enter();
	folder_put("concat.onnx", bytes, len);
	refused_file("concat.onnx", ERR_INPUT, "'/features/features.1/Relu' (Concat): attribute 'axis' is missing");
	folder_leave();
	form_close(&f);
}
END_TEST

Suite *hostile_suite(void)
{
	Suite *s = suite_create("hostile");
	TCase *t = tcase_create("hostile");
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, a_truncated_file_is_refused, 0, SAMPLES);
	tcase_add_loop_test(t, a_file_with_flipped_bits_is_refused_or_runs, 0, SAMPLES);
	tcase_add_test(t, a_file_with_overwritten_runs_is_refused_or_runs);
	tcase_add_test(t, messages_nested_thousands_deep_are_refused);
	tcase_add_test(t, a_graph_inside_a_node_is_refused_as_an_attribute);
	tcase_add_test(t, more_messages_than_memory_are_refused_before_they_are_built);
	tcase_add_loop_test(t, a_fragment_that_is_no_model_is_refused, 0, sizeof fragments / sizeof *fragments);
	tcase_add_test(t, random_bytes_are_refused);
	tcase_add_test(t, what_is_not_a_model_file_is_refused_by_its_path);
	tcase_add_test(t, a_refusal_names_the_file_and_the_node);
	suite_add_tcase(s, t);
	return s;
}
