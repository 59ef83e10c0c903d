/* halving.h -- who goes up: asynchronous successive halving (ASHA, Li et al., MLSys 2020).
 * SPDX-License-Identifier: MIT
 *
 * Of n results known at a rung, floor(n / eta) may go up to the next. As long as fewer have, the best of those that
 * have not is promotable; the highest rung with one is served first. Best is: non-dominated front by constrained
 * domination, then crowding, then number. Failed trials count among the n and are never promoted.
 *
 * The paper promotes whatever stands among the best floor(n / eta) now. With more than one objective, and with a search
 * that learns, that set keeps changing, and nearly every candidate would go up once; counted, one in eta does, and what
 * a job costs is known beforehand.
 *
 * Best is among the field: the last HALVING_FIELD complete results, promoted or not, for those that went up still stand
 * in the way of others and leave no gap in the crowding. Older ones had their turn, and with a search that learns they
 * are behind. Where the whole field went up, as when much has failed since, it is the one that ends with the latest
 * result that has not. So ranking costs no more however large the budget.
 *
 * Pure: the same calls, the same answers. Trials are told in order of number; see search/table.h for when. */
#ifndef SEARCH_HALVING_H
#define SEARCH_HALVING_H

#include "search/strategy.h"

struct halving;

enum { HALVING_FIELD = 1000 };

/* p, with its ladder, is copied; its space is not used. */
enum err halving_open(const struct problem *p, struct halving **ret, struct errinfo *e)
	__attribute__((warn_unused_result));
void halving_close(struct halving *h);

/* A result of a trial at a rung becomes known; o->keep is not used. Numbers grow from call to call. */
enum err halving_tell(struct halving *h, int rung, const struct outcome *o, struct errinfo *e)
	__attribute__((warn_unused_result));

/* The trial that goes up now, from *ret_rung; 0: none. It stays the answer until it is marked as promoted. */
enum err halving_next(struct halving *h, int *ret_number, int *ret_rung, struct errinfo *e)
	__attribute__((warn_unused_result));

/* The same when no more results will come: while no trial of the last rung is complete, the best complete one of the
 * highest rung that has one goes up although fewer than eta are known there. Each rung sends up to eta candidates up
 * that way, in case they fail. */
enum err halving_last(struct halving *h, int *ret_number, int *ret_rung, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Marks a known complete trial of a rung as promoted; ERR_INTERNAL when it is none, or was promoted before. */
enum err halving_promote(struct halving *h, int rung, int number, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif
