/* window.c -- the sliding window of a convolution or a pooling over (height, width).
 * SPDX-License-Identifier: MIT */
#include "evaluator/model/window.h"

#include <string.h>

#include "evaluator/model/graph.h"

enum { LARGEST = 1 << 20 }; /* of a kernel, stride, dilation or padding: products stay far from overflow */

static enum err check_range(const struct node *n, const char *what, const int64_t *v, size_t count, int64_t least,
	struct errinfo *e)
{
	char text[256];
	for (size_t i = 0; i < count; i++)
		if (v[i] < least || v[i] > LARGEST)
			return err_set(e, ERR_INPUT, "%s: attribute '%s' has the value %lld, expected %lld to %d",
				node_text(n, text), what, (long long)v[i], (long long)least, LARGEST);
	return ERR_OK;
}

static enum err read_range(const struct node *n, const char *what, size_t count, int64_t otherwise, int64_t least,
	int64_t *ret, struct errinfo *e)
{
	enum err err = node_ints(n, what, count, otherwise, ret, e);
	return err ? err : check_range(n, what, ret, count, least, e);
}

static enum err read_kernel(const struct node *n, const int64_t *kernel, struct window *w, struct errinfo *e)
{
	char text[256];
	if (!kernel && !node_attribute(n, "kernel_shape"))
		return err_set(e, ERR_INPUT, "%s: attribute 'kernel_shape' is missing", node_text(n, text));
	enum err err = node_ints(n, "kernel_shape", 2, 0, w->kernel, e);
	if (err)
		return err;
	bool given = node_attribute(n, "kernel_shape") != NULL;
	if (kernel && given && memcmp(kernel, w->kernel, sizeof w->kernel))
		return err_set(e, ERR_INPUT,
			"%s: attribute 'kernel_shape' is (%lld, %lld), the weight has (%lld, %lld)", node_text(n, text),
			(long long)w->kernel[0], (long long)w->kernel[1], (long long)kernel[0], (long long)kernel[1]);
	if (kernel)
		memcpy(w->kernel, kernel, sizeof w->kernel);
	return check_range(n, "kernel_shape", w->kernel, 2, 1, e);
}

static enum err check_auto_pad(const struct node *n, struct errinfo *e)
{
	char text[256];
	const struct attribute *a = node_attribute(n, "auto_pad");
	if (a && (a->kind != ATTRIBUTE_STRING || strcmp(a->s, "NOTSET")))
		return err_set(e, ERR_UNSUPPORTED, "%s: attribute 'auto_pad' is '%.40s', only NOTSET is supported",
			node_text(n, text), a->kind == ATTRIBUTE_STRING ? a->s : "?");
	return ERR_OK;
}

static void slide(struct window *w, int axis, int64_t in, bool ceil_mode)
{
	int64_t reach = w->dilation[axis] * (w->kernel[axis] - 1) + 1;
	int64_t room = in + w->begin[axis] + w->end[axis] - reach + (ceil_mode ? w->stride[axis] - 1 : 0);
	if (room < 0) {
		w->out[axis] = 0;
		return;
	}
	int64_t out = room / w->stride[axis] + 1;
	if (ceil_mode && (out - 1) * w->stride[axis] >= in + w->begin[axis])
		out--;
	int64_t need = (out - 1) * w->stride[axis] + reach - in - w->begin[axis];
	if (need > w->end[axis])
		w->end[axis] = need;
	w->out[axis] = out;
}

enum err window_read(const struct node *n, const struct shape *in, const int64_t *kernel, struct window *ret,
	struct errinfo *e)
{
	struct window w = { 0 };
	int64_t pads[4];
	char text[256], shape[128];
	if (in->rank != 4)
		return err_set(e, ERR_UNSUPPORTED,
			"%s: the input is %s, only (batch, channels, height, width) is supported", node_text(n, text),
			shape_text(in, shape));
	enum err err = check_auto_pad(n, e);
	if (!err)
		err = read_kernel(n, kernel, &w, e);
	if (!err)
		err = read_range(n, "strides", 2, 1, 1, w.stride, e);
	if (!err)
		err = read_range(n, "dilations", 2, 1, 1, w.dilation, e);
	if (!err)
		err = read_range(n, "pads", 4, 0, 0, pads, e);
	if (err)
		return err;
	for (int i = 0; i < 2; i++) {
		w.begin[i] = pads[i];
		w.end[i] = pads[2 + i];
		slide(&w, i, in->dim[2 + i], node_int(n, "ceil_mode", 0) != 0);
		if (w.out[i] < 1)
			return err_set(e, ERR_INPUT, "%s: the window does not fit into the input %s",
				node_text(n, text), shape_text(in, shape));
	}
	*ret = w;
	return ERR_OK;
}
