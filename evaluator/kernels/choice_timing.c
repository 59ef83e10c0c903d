/* choice_timing.c -- how long a convolution takes.
 * SPDX-License-Identifier: MIT */
#include "evaluator/kernels/choice_timing.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "evaluator/kernels/plan.h"
#include "evaluator/kernels/view.h"
#include "evaluator/model/graph.h"
#include "evaluator/model/window.h"

enum { ROUNDS = 5, SWEEP_BYTES = 4 << 20 };

/* A network of one node. */
struct probe {
	struct graph graph;
	struct node node;
	struct value values[3]; /* x, w, y of the layer */
	struct attribute pads;
	int64_t pad[2 * WINDOW_MAX_RANK];
	int in[2], out[1], inputs[2];
	float *weight;
};

static struct shape shape_of(const struct view *v)
{
	struct shape s = { .rank = v->rank };
	memcpy(s.dim, v->dim, (size_t)v->rank * sizeof *s.dim);
	s.dim[0] = DIM_BATCH;
	return s;
}

static void fill(float *p, int64_t count)
{
	for (int64_t i = 0; i < count; i++)
		p[i] = (float)(i % 17) / 16 - 0.5f;
}

/* Which of the three each direction reads and gives. Layers have stored weights, as in inference. */
static void open_probe(const struct choice_shape *s, struct probe *p)
{
	static const int read[CHOICE_DIRECTIONS][2] = { { 0, 1 }, { 2, 1 }, { 0, 2 } },
			 made[CHOICE_DIRECTIONS] = { 2, 0, 1 };
	static const enum op ops[CHOICE_DIRECTIONS] = { OP_CONV, OP_CONV_DATA_GRADIENT, OP_CONV_WEIGHT_GRADIENT };
	const struct window *w = s->window;
	struct shape shapes[3] = { shape_of(s->x), { 4, { s->y->dim[1], s->x->dim[1], w->kernel[0], w->kernel[1] } },
		shape_of(s->y) };
	for (int i = 0; i < 3; i++)
		p->values[i] = (struct value){ .name = "", .dtype = DTYPE_FLOAT, .shape = shapes[i], .producer = -1 };
	for (int i = 0; i < w->rank; i++) {
		p->pad[i] = w->begin[i];
		p->pad[w->rank + i] = w->end[i] > 0 ? w->end[i] : 0;
	}
	p->pads = (struct attribute){ .name = "pads", .kind = ATTRIBUTE_INTS, .ints = p->pad, .count = 4 };
	memcpy(p->in, read[s->direction], sizeof p->in);
	p->out[0] = made[s->direction];
	p->node = (struct node){ .name = "",
		.op = ops[s->direction],
		.type = "",
		.domain = "",
		.in = p->in,
		.in_count = 2,
		.out = p->out,
		.out_count = 1,
		.attributes = &p->pads,
		.attribute_count = 1 };
	p->graph = (struct graph){ .name = "",
		.nodes = &p->node,
		.node_count = 1,
		.values = p->values,
		.value_count = 3,
		.inputs = p->inputs,
		.outputs = p->out,
		.output_count = 1 };
	p->values[p->out[0]].producer = 0;
	p->values[1].data = s->direction == CHOICE_FORWARD ? p->weight : NULL;
	for (int i = 0; i < 2; i++)
		if (!p->values[p->in[i]].data)
			p->inputs[p->graph.input_count++] = p->in[i];
}

static double run(struct plan *plan, float *sweep)
{
	struct errinfo e;
	double least = 0;
	for (int i = 0; i < ROUNDS; i++) {
		fill(sweep, SWEEP_BYTES / (int64_t)sizeof *sweep);
		int64_t start = clock_ns();
		if (plan_run(plan, &e))
			return 0;
		double took = 1e-9 * (double)(clock_ns() - start);
		least = !i || took < least ? took : least;
	}
	return least;
}

double choice_seconds(const struct choice_shape *s)
{
	int64_t weights = s->x->dim[1] * s->y->dim[1] * s->window->kernel[0] * s->window->kernel[1];
	struct probe p = { .weight = calloc((size_t)weights, sizeof(float)) };
	float *sweep = malloc(SWEEP_BYTES);
	struct plan *plan = NULL;
	struct errinfo e;
	double seconds = 0;
	if (p.weight && sweep) {
		fill(p.weight, weights);
		open_probe(s, &p);
	}
	if (p.weight && sweep && !plan_new(&p.graph, s->x->dim[0], PLAN_INFER, &plan, &e)) {
		for (int i = 0; i < p.graph.input_count; i++)
			fill(plan_input(plan, i), shape_count(&p.values[p.inputs[i]].shape, s->x->dim[0]));
		seconds = run(plan, sweep);
	}
	plan_free(plan);
	free(sweep);
	free(p.weight);
	return seconds;
}
