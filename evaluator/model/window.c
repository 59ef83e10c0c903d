/* window.c -- the sliding window of a convolution or a pooling.
 * SPDX-License-Identifier: MIT */
#include "evaluator/model/window.h"

#include <string.h>

#include "evaluator/model/graph.h"

enum { LARGEST = 1 << 20 }; /* of a kernel, stride, dilation or padding: products stay far from overflow */

static enum err check_range(
	const struct node *n, const char *what, const int64_t *v, size_t count, int64_t least, struct errinfo *e)
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
	bool given = node_attribute(n, "kernel_shape") != NULL;
	if (!kernel && !given)
		return err_set(e, ERR_INPUT, "%s: attribute 'kernel_shape' is missing", node_text(n, text));
	enum err err = node_ints(n, "kernel_shape", (size_t)w->rank, 0, w->kernel, e);
	for (int i = 0; i < w->rank && kernel && !err; i++) {
		if (given && kernel[i] != w->kernel[i])
			return err_set(e, ERR_INPUT,
				"%s: attribute 'kernel_shape' has %lld in dimension %d, the weight has %lld",
				node_text(n, text), (long long)w->kernel[i], i, (long long)kernel[i]);
		w->kernel[i] = kernel[i];
	}
	return err ? err : check_range(n, "kernel_shape", w->kernel, (size_t)w->rank, 1, e);
}

static int64_t reach_of(const struct window *w, int axis)
{
	return w->dilation[axis] * (w->kernel[axis] - 1) + 1;
}

/* SAME: as many outputs as strides fit into the input; an odd number of padding goes behind (UPPER) or before (LOWER).
 */
static void pad_same(struct window *w, const struct shape *in, bool upper)
{
	for (int i = 0; i < w->rank; i++) {
		int64_t size = in->dim[2 + i], out = (size - 1) / w->stride[i] + 1;
		int64_t pad = (out - 1) * w->stride[i] + reach_of(w, i) - size;
		pad = pad > 0 ? pad : 0;
		w->begin[i] = upper ? pad / 2 : pad - pad / 2;
		w->end[i] = pad - w->begin[i];
	}
}

static enum err read_pads(const struct node *n, const struct shape *in, struct window *w, struct errinfo *e)
{
	char text[256];
	int64_t pads[2 * WINDOW_MAX_RANK];
	const struct attribute *a = node_attribute(n, "auto_pad");
	const char *mode = a ? a->s : "NOTSET";
	if (!strcmp(mode, "SAME_UPPER") || !strcmp(mode, "SAME_LOWER")) {
		pad_same(w, in, !strcmp(mode, "SAME_UPPER"));
		return ERR_OK;
	}
	if (!strcmp(mode, "VALID"))
		return ERR_OK;
	if (strcmp(mode, "NOTSET") && *mode)
		return err_set(e, ERR_INPUT,
			"%s: attribute 'auto_pad' is '%.40s', expected NOTSET, SAME_UPPER, SAME_LOWER or VALID",
			node_text(n, text), mode);
	enum err err = read_range(n, "pads", 2 * (size_t)w->rank, 0, 0, pads, e);
	for (int i = 0; i < w->rank && !err; i++) {
		w->begin[i] = pads[i];
		w->end[i] = pads[w->rank + i];
	}
	return err;
}

static void slide(struct window *w, int axis, int64_t in, bool ceil_mode)
{
	int64_t reach = reach_of(w, axis);
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

static enum err read_frame(
	const struct node *n, const struct shape *in, const int64_t *kernel, struct window *w, struct errinfo *e)
{
	char text[256], shape[128];
	if (in->rank < 3 || in->rank > 2 + WINDOW_MAX_RANK || in->dim[0] >= 0)
		return err_set(e, ERR_UNSUPPORTED, "%s: the input is %s, expected (batch, channels, 1 to 3 dimensions)",
			node_text(n, text), shape_text(in, shape));
	w->rank = in->rank - 2;
	size_t rank = (size_t)w->rank;
	enum err err = read_kernel(n, kernel, w, e);
	if (!err)
		err = read_range(n, "strides", rank, 1, 1, w->stride, e);
	return err ? err : read_range(n, "dilations", rank, 1, 1, w->dilation, e);
}

static enum err check_out(const struct node *n, const struct shape *in, const struct window *w, struct errinfo *e)
{
	char text[256], shape[128];
	for (int i = 0; i < w->rank; i++)
		if (w->out[i] < 1)
			return err_set(e, ERR_INPUT, "%s: the window does not fit into the input %s",
				node_text(n, text), shape_text(in, shape));
	return ERR_OK;
}

enum err window_read(
	const struct node *n, const struct shape *in, const int64_t *kernel, struct window *ret, struct errinfo *e)
{
	struct window w = { 0 };
	enum err err = read_frame(n, in, kernel, &w, e);
	if (!err)
		err = read_pads(n, in, &w, e);
	for (int i = 0; i < w.rank && !err; i++)
		slide(&w, i, in->dim[2 + i], node_int(n, "ceil_mode", 0) != 0);
	if (!err)
		err = check_out(n, in, &w, e);
	if (!err)
		*ret = w;
	return err;
}

/* output_shape, or SAME, says how large the output is; the padding is what is too much, an odd number of it before but
 * for UPPER. Where there is too little, SAME leaves it at that; with output_shape what is behind is never reached. */
static enum err pad_to_size(const struct node *n, const struct shape *in, const int64_t *extra, bool upper,
	struct window *w, struct errinfo *e)
{
	int64_t size[WINDOW_MAX_RANK];
	bool given = node_attribute(n, "output_shape") != NULL;
	enum err err = given ? read_range(n, "output_shape", (size_t)w->rank, 0, 1, size, e) : ERR_OK;
	for (int i = 0; i < w->rank && !err; i++) {
		int64_t full = (in->dim[2 + i] - 1) * w->stride[i] + extra[i] + reach_of(w, i);
		int64_t wanted = given ? size[i] : in->dim[2 + i] * w->stride[i];
		int64_t pad = full > wanted ? full - wanted : 0;
		w->out[i] = given ? wanted : full - pad;
		w->begin[i] = upper ? pad / 2 : pad - pad / 2;
		w->end[i] = pad - w->begin[i];
	}
	return err;
}

static enum err pad_as_given(
	const struct node *n, const struct shape *in, const int64_t *extra, struct window *w, struct errinfo *e)
{
	enum err err = read_pads(n, in, w, e);
	for (int i = 0; i < w->rank && !err; i++)
		w->out[i] = (in->dim[2 + i] - 1) * w->stride[i] + extra[i] + reach_of(w, i) - w->begin[i] - w->end[i];
	return err;
}

enum err window_read_transposed(
	const struct node *n, const struct shape *in, const int64_t *kernel, struct window *ret, struct errinfo *e)
{
	struct window w = { 0 };
	int64_t extra[WINDOW_MAX_RANK];
	const struct attribute *mode = node_attribute(n, "auto_pad");
	bool same = mode && !strncmp(mode->s, "SAME_", 5);
	enum err err = read_frame(n, in, kernel, &w, e);
	if (!err)
		err = read_range(n, "output_padding", (size_t)w.rank, 0, 0, extra, e);
	bool sized = same || node_attribute(n, "output_shape");
	if (!err && sized)
		err = pad_to_size(n, in, extra, mode && !strcmp(mode->s, "SAME_UPPER"), &w, e);
	else if (!err)
		err = pad_as_given(n, in, extra, &w, e);
	if (!err)
		err = check_out(n, in, &w, e);
	if (!err)
		*ret = w;
	return err;
}
