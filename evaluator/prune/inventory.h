/* inventory.h -- what a network can lose, told to the daemon (docs/protocol.md, "The inventory").
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_PRUNE_INVENTORY_H
#define EVALUATOR_PRUNE_INVENTORY_H

#include <cjson/cJSON.h>

#include "base/err.h"

struct coupling;

/* Groups, frozen dimensions with reasons, and every layer's dimensions in terms of the groups. The caller cJSON_Deletes
 * *ret. */
enum err inventory_write(const struct coupling *c, cJSON **ret, struct errinfo *e) __attribute__((warn_unused_result));

#endif
