/* suites.h -- the evaluator's test suites, one a file.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_EVALUATOR_SUITES_H
#define TESTS_EVALUATOR_SUITES_H

#include <check.h>

#define RESTARTED "--restarted"
enum { RESTARTED_STATUS = 42 };

Suite *data_suite(void);
Suite *format_suite(void);
Suite *picture_suite(void);
Suite *decode_suite(void);
Suite *supply_suite(void);
Suite *model_suite(void);
Suite *names_suite(void);
Suite *hostile_suite(void);
Suite *fold_suite(void);
Suite *kernel_suite(void);
Suite *conv_suite(void);
Suite *winograd_suite(void);
Suite *planar_suite(void);
Suite *choice_suite(void);
Suite *operator_suite(void);
Suite *function_suite(void);
Suite *training_kernel_suite(void);
Suite *training_move_suite(void);
Suite *move_suite(void);
Suite *plan_suite(void);
Suite *refusal_suite(void);
Suite *topology_suite(void);
Suite *prune_suite(void);
Suite *coupling_suite(void);
Suite *criterion_suite(void);
Suite *sound_suite(void);
Suite *gradient_suite(void);
Suite *measure_suite(void);
Suite *train_suite(void);
Suite *fit_suite(void);
Suite *trial_suite(void);
Suite *option_suite(void);
Suite *cache_suite(void);
Suite *worker_suite(void);

#endif
