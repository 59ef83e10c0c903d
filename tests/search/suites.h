/* suites.h -- the test suites of search/.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_SEARCH_SUITES_H
#define TESTS_SEARCH_SUITES_H

#include <check.h>

Suite *space_suite(void);
Suite *cost_suite(void);
Suite *budget_suite(void);
Suite *constraint_suite(void);
Suite *pareto_suite(void);
Suite *front_suite(void);
Suite *halving_suite(void);
Suite *stall_suite(void);
Suite *best_suite(void);
Suite *table_suite(void);
Suite *strategy_suite(void);
Suite *uniform_suite(void);
Suite *random_suite(void);
Suite *anneal_suite(void);
Suite *netadapt_suite(void);
Suite *nsga2_suite(void);
Suite *abc_suite(void);
Suite *fronts_suite(void);
Suite *link_suite(void);
Suite *additive_suite(void);
Suite *process_suite(void);
Suite *improvement_suite(void);
Suite *surrogate_suite(void);
Suite *archive_suite(void);
Suite *prior_suite(void);
Suite *belief_suite(void);
Suite *guided_suite(void);
Suite *explain_suite(void);

#endif
