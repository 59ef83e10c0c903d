/* schema.h -- inside of store/: the tables and views, and the steps that lead to them.
 * SPDX-License-Identifier: MIT */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include "store/statement.h"

/* ERR_CONFLICT when the database was made by a newer pared. Changes nothing. */
enum err schema_check(struct store *s, struct errinfo *e) __attribute__((warn_unused_result));

/* Applies the steps that the database lacks, each in one transaction. */
enum err schema_migrate(struct store *s, struct errinfo *e) __attribute__((warn_unused_result));

#endif
