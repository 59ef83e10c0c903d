/* gradient_layer.c -- the backward pass of what multiplies by weights.
 * SPDX-License-Identifier: MIT */
#include "evaluator/model/operand.h"
#include "evaluator/model/window.h"
#include "evaluator/train/gradient_rules.h"

/* ---- convolutions ---- */

/* db[c] = sum of dy over all but the channels */
static void flow_bias(struct backward *b, const struct node *n, int dy)
{
	if (!gradient_wanted(b, n, 2))
		return;
	struct shape y = writer_shape(&b->w, dy), bias = gradient_shape(b, n, 2);
	int64_t axes[SHAPE_MAX_RANK] = { 0 };
	for (int i = 2; i < y.rank; i++)
		axes[i - 1] = i;
	int db = writer_node(&b->w, OP_REDUCE_SUM, 1, &dy, &bias);
	writer_ints(&b->w, "axes", y.rank - 1, axes);
	writer_int(&b->w, "keepdims", 0);
	gradient_flow(b, n, 2, db);
}

/* y = conv(x, w): dx spreads each number of dy over the window that it was computed from, dw[o, i, u] sums dy[o] * x[i]
 * over all windows (Goodfellow et al., Deep Learning, 2016, section 9.5). */
void gradient_conv(struct backward *b, const struct node *n, const int *dy)
{
	flow_bias(b, n, *dy);
	if (gradient_wanted(b, n, 1))
		gradient_flow(b, n, 1, gradient_node(b, OP_CONV_WEIGHT_GRADIENT, n, 1, 2, (int[]){ n->in[0], *dy }));
	if (gradient_wanted(b, n, 0))
		gradient_flow(b, n, 0, gradient_node(b, OP_CONV_DATA_GRADIENT, n, 0, 2, (int[]){ *dy, n->in[1] }));
}

/* The convolution that a transposed one is the data gradient of: it reads what that writes. Padding behind is so much
 * that it makes as many numbers as x has; what is behind the last window, dy is cut off from. */
struct counterpart {
	struct window w;
	int64_t pads[2 * WINDOW_MAX_RANK];
	int dy;
};

static struct counterpart find_counterpart(struct backward *b, const struct node *n, int dy)
{
	struct counterpart c = { .dy = dy };
	struct shape x = gradient_shape(b, n, 0), s = writer_shape(&b->w, dy);
	int64_t axes[WINDOW_MAX_RANK], zeros[WINDOW_MAX_RANK] = { 0 }, ends[WINDOW_MAX_RANK];
	int cut = 0;
	writer_fail(&b->w, window_read_transposed(n, &x, b->net->values[n->in[1]].shape.dim + 2, &c.w, b->w.e));
	if (b->w.err)
		return c;
	for (int i = 0; i < c.w.rank; i++) {
		int64_t last = (x.dim[2 + i] - 1) * c.w.stride[i] + c.w.dilation[i] * (c.w.kernel[i] - 1) + 1;
		int64_t missing = last - c.w.begin[i] - c.w.out[i];
		c.pads[i] = c.w.begin[i];
		c.pads[c.w.rank + i] = missing > 0 ? missing : 0;
		if (missing >= 0)
			continue;
		axes[cut] = 2 + i;
		ends[cut++] = s.dim[2 + i] += missing;
	}
	if (!cut)
		return c;
	c.dy = writer_node(&b->w, OP_SLICE, 1, &dy, &s);
	writer_ints(&b->w, "axes", cut, axes);
	writer_ints(&b->w, "starts", cut, zeros);
	writer_ints(&b->w, "ends", cut, ends);
	return c;
}

static int counterpart_node(
	struct backward *b, enum op op, const struct node *n, const struct counterpart *c, int k, const int in[2])
{
	struct shape s = gradient_shape(b, n, k);
	int y = writer_node(&b->w, op, 2, in, &s);
	writer_ints(&b->w, "dilations", c->w.rank, c->w.dilation);
	writer_ints(&b->w, "pads", 2 * c->w.rank, c->pads);
	writer_ints(&b->w, "strides", c->w.rank, c->w.stride);
	writer_int(&b->w, "group", node_int(n, "group", 1));
	return y;
}

/* y = conv'(x, w), the transpose of z -> conv(z, w): dx = conv(dy, w), and dw is that convolution's, with x as the
 * gradient of what it writes (Dumoulin & Visin 2016). */
void gradient_conv_transpose(struct backward *b, const struct node *n, const int *dy)
{
	flow_bias(b, n, *dy);
	struct counterpart c = find_counterpart(b, n, *dy);
	if (gradient_wanted(b, n, 1))
		gradient_flow(
			b, n, 1, counterpart_node(b, OP_CONV_WEIGHT_GRADIENT, n, &c, 1, (int[]){ c.dy, n->in[0] }));
	if (gradient_wanted(b, n, 0))
		gradient_flow(b, n, 0, counterpart_node(b, OP_CONV, n, &c, 0, (int[]){ c.dy, n->in[1] }));
}

/* ---- Gemm ---- */

static void flow_factor(struct backward *b, const struct node *n, int k, int first, int second, bool ta, bool tb)
{
	struct shape s = gradient_shape(b, n, k);
	int d = writer_node(&b->w, OP_GEMM, 2, (int[]){ first, second }, &s);
	writer_float(&b->w, "alpha", node_float(n, "alpha", 1));
	writer_int(&b->w, "transA", ta);
	writer_int(&b->w, "transB", tb);
	gradient_flow(b, n, k, d);
}

/* y = alpha A B + beta c, where A is a or a' (transA), B is b or b':  dA = alpha dy B',  dB = alpha A' dy; the gradient
 * of a transposed factor is their transpose. dc = beta dy, summed over what it was broadcast to. */
void gradient_gemm(struct backward *b, const struct node *n, const int *dy)
{
	bool ta = node_int(n, "transA", 0) != 0, tb = node_int(n, "transB", 0) != 0;
	if (gradient_wanted(b, n, 2)) {
		struct shape c = gradient_shape(b, n, 2);
		int sum = writer_sum_to(&b->w, *dy, &c);
		gradient_flow(b, n, 2, writer_scale(&b->w, sum, node_float(n, "beta", 1)));
	}
	if (gradient_wanted(b, n, 1) && tb)
		flow_factor(b, n, 1, *dy, n->in[0], true, ta);
	else if (gradient_wanted(b, n, 1))
		flow_factor(b, n, 1, n->in[0], *dy, !ta, false);
	if (gradient_wanted(b, n, 0) && ta)
		flow_factor(b, n, 0, n->in[1], *dy, tb, true);
	else if (gradient_wanted(b, n, 0))
		flow_factor(b, n, 0, *dy, n->in[1], false, !tb);
}

/* ---- MatMul, Einsum ---- */

/* The letters of one term of an equation. */
struct term {
	int count;
	int letter[SHAPE_MAX_RANK];
};

static bool has(const struct term *t, int letter)
{
	for (int i = 0; i < t->count; i++)
		if (t->letter[i] == letter)
			return true;
	return false;
}

static char *spell(char *to, const struct term *t)
{
	for (int i = 0; i < t->count; i++)
		*to++ = (char)(t->letter[i] < 26 ? 'a' + t->letter[i] : 'A' + t->letter[i] - 26);
	return to;
}

/* An operand's letters. Where it is broadcast it has size 1 and a letter of its own, which is summed over. */
static struct term operand_term(const struct operand_contraction *c, int k, int rank)
{
	struct term t = { .count = rank };
	for (int i = 0; i < rank; i++)
		t.letter[i] = c->in[k][i] < 0 ? c->letters + i : c->in[k][i];
	return t;
}

static struct term output_term(const struct operand_contraction *c)
{
	struct term t = { 0 };
	while (t.count < SHAPE_MAX_RANK && c->out[t.count] >= 0) {
		t.letter[t.count] = c->out[t.count];
		t.count++;
	}
	return t;
}

static int einsum(struct backward *b, const int in[2], const struct term *const terms[2], const struct term *result,
	const struct shape *s)
{
	char equation[3 * SHAPE_MAX_RANK + 4], *to = spell(equation, terms[0]);
	*to++ = ',';
	to = spell(to, terms[1]);
	*to++ = '-';
	*to++ = '>';
	*spell(to, result) = 0;
	int y = writer_node(&b->w, OP_EINSUM, 2, in, s);
	const char *kept = arena_strdup(b->w.g->arena, equation);
	if (!kept)
		writer_fail(&b->w, err_set(b->w.e, ERR_MEMORY, "out of memory"));
	writer_string(&b->w, "equation", kept);
	return y;
}

/* The operand whose letters end the result goes last: the product then lies row-major. */
static bool comes_last(const struct term *t, const struct term *other, const struct term *result)
{
	for (int i = result->count - 1; i >= 0; i--)
		if (has(t, result->letter[i]) != has(other, result->letter[i]))
			return has(t, result->letter[i]);
	return false;
}

/* y[out] = sum of p[in] q[in']:  dp[in] = sum of dy[out] q[in'] over the letters that p has not. Of p's letters, those
 * that neither dy nor q has were summed over in p alone: each number there has the same gradient. Those of size 1 that
 * were broadcast are summed over. */
static void flow_operand(struct backward *b, const struct node *n, const struct operand_contraction *c, int k, int dy)
{
	struct shape x = gradient_shape(b, n, k), some = { 0 }, ones = x;
	struct term out = output_term(c), result = { 0 };
	struct term other = operand_term(c, !k, b->net->values[n->in[!k]].shape.rank);
	for (int i = 0; i < x.rank; i++) {
		int letter = c->in[k][i];
		if (letter >= 0 && (has(&out, letter) || has(&other, letter))) {
			result.letter[result.count++] = letter;
			some.dim[some.rank++] = x.dim[i];
		} else {
			ones.dim[i] = 1;
		}
	}
	bool dy_last = comes_last(&out, &other, &result);
	const struct term *const terms[2] = { dy_last ? &other : &out, dy_last ? &out : &other };
	int in[2] = { dy_last ? n->in[!k] : dy, dy_last ? dy : n->in[!k] };
	int d = einsum(b, in, terms, &result, &some);
	gradient_flow(b, n, k, writer_spread(&b->w, writer_reshape(&b->w, d, &ones), &x));
}

void gradient_contraction(struct backward *b, const struct node *n, const int *dy)
{
	struct operand_contraction c;
	writer_fail(&b->w, operand_contraction(b->net, n, &c, b->w.e));
	for (int k = 1; k >= 0; k--)
		if (!b->w.err && gradient_wanted(b, n, k))
			flow_operand(b, n, &c, k, *dy);
}
