/* branch.c -- an If whose condition is known is the nodes of one of its branches.
 * SPDX-License-Identifier: MIT
 *
 * Exporters ask in the graph what they could have known: PyTorch's, whether a dimension that is squeezed is 1. The
 * nodes of the branch are read in the If's place. They may name what stands before the If, and what they name differs
 * from that, so nothing has to be renamed. */
#include <string.h>

#include "evaluator/model/reader.h"

/* Whether the condition is known, and what it is. */
static bool is_decided(const struct reader *r, const Onnx__NodeProto *from, bool *ret)
{
	int index = from->n_input == 1 ? names_find(r->names, reader_text(from->input[0])) : -1;
	const struct value *v = index < 0 ? NULL : &r->g->values[index];
	if (!v || !v->data || v->dtype != DTYPE_INT64 || shape_count(&v->shape, 1) != 1 || r->slope[index])
		return false;
	*ret = *(const int64_t *)v->data != 0;
	return true;
}

static const Onnx__GraphProto *branch_named(const Onnx__NodeProto *from, const char *name)
{
	for (size_t i = 0; i < from->n_attribute; i++)
		if (!strcmp(reader_text(from->attribute[i]->name), name))
			return from->attribute[i]->g;
	return NULL;
}

/* Output i of the If is another name for the branch's. */
static enum err name_output(struct reader *r, const Onnx__NodeProto *from, const Onnx__GraphProto *branch, size_t i)
{
	const char *inner = reader_text(branch->output[i]->name), *name;
	int index = names_find(r->names, inner);
	if (index < 0)
		return err_set(r->e, ERR_INPUT, "node '%.200s' (If): no node computes the branch's output '%.200s'",
			reader_text(from->name), inner);
	enum err err = reader_name(r, from->output[i], &name);
	if (!err && *name && !names_add(r->names, name, index))
		err = err_set(r->e, ERR_INPUT, "tensor '%.200s': the name is used twice", name);
	return err;
}

enum err reader_branch(struct reader *r, const Onnx__NodeProto *from, bool *ret_done)
{
	bool yes;
	if (!is_decided(r, from, &yes))
		return ERR_OK;
	const char *name = yes ? "then_branch" : "else_branch";
	const Onnx__GraphProto *branch = branch_named(from, name), *around = r->from;
	if (!branch || branch->n_input || branch->n_output != from->n_output)
		return err_set(r->e, ERR_INPUT,
			"node '%.200s' (If): attribute '%s' is no graph without inputs and with %zu outputs",
			reader_text(from->name), name, from->n_output);
	r->from = branch;
	enum err err = reader_stored(r);
	if (!err)
		err = reader_nodes(r);
	r->from = around;
	for (size_t i = 0; !err && i < from->n_output; i++)
		err = name_output(r, from, branch, i);
	*ret_done = true;
	return err;
}
