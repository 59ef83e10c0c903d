/* contraction.c -- Gemm, MatMul and Einsum as one sum of products over letters.
 * SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <string.h>

#include "evaluator/model/operand.h"

/* y[i,o] = sum over k of a[i,k] (transA: a[k,i]) * b[k,o] (transB: b[o,k]). */
static void gemm(const struct node *n, struct operand_contraction *c)
{
	bool ta = node_int(n, "transA", 0) != 0, tb = node_int(n, "transB", 0) != 0;
	c->letters = 3; /* 0: rows, 1: columns, 2: summed */
	c->in[0][ta] = 0;
	c->in[0][!ta] = 2;
	c->in[1][tb] = 2;
	c->in[1][!tb] = 1;
	c->out[0] = 0;
	c->out[1] = 1;
}

/* numpy's matmul: the last two dimensions multiply, those before broadcast; a vector is a row or a column. */
static void matmul(const struct shape *a, const struct shape *b, struct operand_contraction *c)
{
	const struct shape *x[2] = { a, b };
	int lead[2] = { a->rank > 2 ? a->rank - 2 : 0, b->rank > 2 ? b->rank - 2 : 0 };
	int most = lead[0] > lead[1] ? lead[0] : lead[1], out = 0;
	for (int i = 0; i < most; i++, c->letters++) {
		int64_t size[2];
		for (int k = 0; k < 2; k++) {
			int at = i - (most - lead[k]);
			size[k] = at < 0 ? 1 : x[k]->dim[at];
		}
		for (int k = 0; k < 2; k++) {
			int at = i - (most - lead[k]);
			if (at >= 0)
				c->in[k][at] = size[k] == 1 && size[!k] != 1 ? -1 : c->letters;
		}
		c->out[out++] = c->letters;
	}
	int summed = c->letters++;
	c->in[0][a->rank - 1] = summed;
	c->in[1][b->rank > 1 ? b->rank - 2 : 0] = summed;
	if (a->rank > 1)
		c->in[0][a->rank - 2] = c->out[out++] = c->letters++;
	if (b->rank > 1)
		c->in[1][b->rank - 1] = c->out[out] = c->letters++;
}

/* Letters of one term of an equation, up to `end`; -1 when it holds anything else or too many. */
static int einsum_term(const char *from, const char *end, int letter_of[128], int *letters, int ret[SHAPE_MAX_RANK])
{
	int count = 0;
	for (; from < end; from++) {
		if (*from == ' ')
			continue;
		if (!isalpha((unsigned char)*from) || count == SHAPE_MAX_RANK)
			return -1;
		int *letter = &letter_of[(int)*from];
		if (*letter < 0)
			*letter = (*letters)++;
		for (int i = 0; i < count; i++)
			if (ret[i] == *letter)
				return -1; /* a diagonal */
		ret[count++] = *letter;
	}
	return count;
}

/* "ab,bc->ac": two operands, an explicit output, no ellipsis, no letter twice in one term. */
static enum err einsum(const struct graph *g, const struct node *n, struct operand_contraction *c, struct errinfo *e)
{
	char text[256];
	int letter_of[128], counts[3];
	const struct attribute *a = node_attribute(n, "equation");
	const char *equation = a ? a->s : "", *comma = strchr(equation, ','), *arrow = strstr(equation, "->");
	memset(letter_of, -1, sizeof letter_of);
	if (n->in_count != 2 || !comma || !arrow || comma > arrow)
		return err_set(e, ERR_UNSUPPORTED, "%s: equation '%.80s' is not of two operands with an output",
			node_text(n, text), equation);
	counts[0] = einsum_term(equation, comma, letter_of, &c->letters, c->in[0]);
	counts[1] = einsum_term(comma + 1, arrow, letter_of, &c->letters, c->in[1]);
	int known = c->letters;
	counts[2] = einsum_term(arrow + 2, equation + strlen(equation), letter_of, &c->letters, c->out);
	if (counts[0] < 0 || counts[1] < 0 || counts[2] < 0 || c->letters != known)
		return err_set(e, ERR_UNSUPPORTED, "%s: equation '%.80s' is of a form that is not supported",
			node_text(n, text), equation);
	for (int k = 0; k < 2; k++)
		if (counts[k] != node_input(g, n, k)->shape.rank)
			return err_set(e, ERR_INPUT, "%s: equation '%.80s' does not fit operand %d", node_text(n, text),
				equation, k);
	for (int i = counts[2]; i < SHAPE_MAX_RANK; i++)
		c->out[i] = -1;
	return ERR_OK;
}

enum err operand_contraction(
	const struct graph *g, const struct node *n, struct operand_contraction *ret, struct errinfo *e)
{
	char text[256], shape[128];
	struct operand_contraction c = { 0 };
	const struct shape *a = &node_input(g, n, 0)->shape, *b = &node_input(g, n, 1)->shape;
	memset(c.in, -1, sizeof c.in);
	memset(c.out, -1, sizeof c.out);
	for (int k = 0; k < 2; k++) {
		const struct shape *s = k ? b : a;
		if (n->op == OP_GEMM ? s->rank != 2 : s->rank < 1)
			return err_set(e, ERR_INPUT, "%s: operand %d is %s, expected a matrix", node_text(n, text), k,
				shape_text(s, shape));
	}
	enum err err = ERR_OK;
	if (n->op == OP_GEMM) {
		c.letters = 3;
		gemm(n, &c);
	} else if (n->op == OP_MATMUL) {
		matmul(a, b, &c);
	} else {
		err = einsum(g, n, &c, e);
	}
	if (!err)
		*ret = c;
	return err;
}
