/* rules_layer.c -- what operators that multiply by weights say about channels.
 * SPDX-License-Identifier: MIT
 *
 * Of every product at most two dimensions may lose something, one of the output and one that is summed over: that is
 * what the cost model has room for. */
#include "evaluator/prune/layer.h"
#include "evaluator/prune/rules.h"

static const char SPATIAL[] = "spatial position";

/* Samples and positions of a convolution or a pooling stay. */
static void freeze_positions(struct union_find *u, int value)
{
	union_find_freeze_dim(u, value, 0, "batch");
	for (int dim = 2; dim < u->g->values[value].shape.rank; dim++)
		union_find_freeze_dim(u, value, dim, SPATIAL);
}

/* The bias of a layer goes with its output channels. */
static void tie_bias(struct union_find *u, const struct node *n)
{
	if (n->in_count > 2 && n->in[2] >= 0)
		union_find_tie_dims(u, n->in[2], 0, n->out[0], 1);
}

/* Index i is index i / times of the other. */
static void tie_spread(struct union_find *u, struct span few, struct span many)
{
	int times = few.n ? many.n / few.n : 1;
	for (int i = 0; i < many.n && i / times < few.n; i++)
		union_find_join(u, few.first + i / times, many.first + i);
}

/* Index i is index i % period, in lock-step. */
static void tie_periods(struct union_find *u, struct span s, struct span period)
{
	for (int i = 0; i < s.n && period.n; i++)
		union_find_join(u, s.first + i, period.first + i % period.n);
}

/* The first index of every group stands for the others. */
static void tie_groups(struct union_find *u, struct span s, int64_t groups)
{
	tie_periods(u, s, (struct span){ s.first, (int)(s.n / groups) });
}

/* Channels x and y of a grouped convolution whose weight's dimension `whole` has all channels of one side, and the
 * other those of a group. One input channel a group (depthwise): whole groups go. Otherwise no group may go, and index
 * j of every group goes together, on both sides. */
static void tie_grouped(struct union_find *u, const struct node *n, int whole, struct span x, struct span y)
{
	int64_t groups = node_int(n, "group", 1);
	struct span all = whole ? y : x;
	if (x.n == groups) {
		tie_spread(u, x, y);
	} else {
		struct span of_group = union_find_span(u, n->in[1], 1);
		tie_groups(u, all, groups);
		tie_periods(u, whole ? x : y, of_group);
	}
	union_find_tie(u, union_find_span(u, n->in[1], 0), all);
}

static bool has_stored_weight(const struct union_find *u, const struct node *n)
{
	return u->g->values[n->in[1]].data != NULL;
}

/* The weight's dimension `filters`, 0 or 1, is y's channels and the other one x's, each counted in one group. */
static void rule_window(struct union_find *u, const struct node *n, int filters)
{
	if (!has_stored_weight(u, n)) {
		rules_freeze_node(u, n, rules_reader(u, n));
		return;
	}
	freeze_positions(u, n->in[0]);
	freeze_positions(u, n->out[0]);
	struct span x = union_find_span(u, n->in[0], 1), y = union_find_span(u, n->out[0], 1);
	union_find_compute(u, y);
	if (node_int(n, "group", 1) > 1) {
		tie_grouped(u, n, !filters, x, y);
	} else {
		union_find_tie(u, union_find_span(u, n->in[1], filters), y);
		union_find_tie(u, union_find_span(u, n->in[1], !filters), x);
	}
	tie_bias(u, n);
}

/* w is (filters, channels of a group, ...). */
void rule_conv(struct union_find *u, const struct node *n)
{
	rule_window(u, n, 0);
}

/* w is (channels of x, filters of a group, ...). */
void rule_conv_transpose(struct union_find *u, const struct node *n)
{
	rule_window(u, n, 1);
}

/* ---- sums of products ---- */

/* The letter's places are the same channel. */
static void tie_letter(struct union_find *u, const struct node *n, const struct letter *l)
{
	int value[3] = { n->in[0], n->in[1], n->out[0] }, dim[3] = { l->in[0], l->in[1], l->out }, first = -1;
	for (int k = 0; k < 3; k++) {
		if (dim[k] < 0)
			continue;
		if (first >= 0)
			union_find_tie_dims(u, value[first], dim[first], value[k], dim[k]);
		first = first < 0 ? k : first;
	}
}

static void freeze_letter(struct union_find *u, const struct node *n, const struct letter *l, const char *reason)
{
	for (int k = 0; k < 2; k++)
		if (l->in[k] >= 0)
			union_find_freeze_dim(u, n->in[k], l->in[k], reason);
	if (l->out >= 0)
		union_find_freeze_dim(u, n->out[0], l->out, reason);
}

/* Gemm, MatMul, Einsum. Rows of x, and whatever else is no free letter, stay. */
void rule_contraction(struct union_find *u, const struct node *n)
{
	struct product p;
	const char *reason = rules_reader(u, n);
	if (n->in_count < 2) {
		rules_freeze_node(u, n, reason);
		return;
	}
	enum err err = product_of(u->g, n, &p, u->e);
	if (err) {
		rules_fail(u, err);
		return;
	}
	for (int letter = 0; letter < p.letters.letters; letter++) {
		struct letter l = product_letter(u->g, n, &p, letter);
		tie_letter(u, n, &l);
		if (letter != p.out && letter != p.summed)
			freeze_letter(u, n, &l, reason);
		else if (letter == p.out && p.weight >= 0)
			union_find_compute(u, union_find_span(u, n->out[0], l.out));
	}
	if (n->in_count > 2 && n->in[2] >= 0)
		rules_tie_broadcast(u, n->in[2], n->out[0]);
}
