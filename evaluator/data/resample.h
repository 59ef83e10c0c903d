/* resample.h -- a picture at another size.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_DATA_RESAMPLE_H
#define EVALUATOR_DATA_RESAMPLE_H

#include <stdint.h>

#include "base/err.h"

struct picture;

/* Scales p so that its shorter side is `resize` pixels (0: as small as still covers height x width), cuts height x
 * width out of its middle and writes that, (height, width, channels). Bilinear; where the picture gets smaller the
 * triangle is widened as much, so that every pixel counts. As torchvision's Resize and CenterCrop do it on Pillow's
 * pictures. */
enum err resample(const struct picture *p, int64_t resize, int64_t height, int64_t width, unsigned char *ret,
	struct errinfo *e) __attribute__((warn_unused_result));

#endif
