/* command.h -- what pare-worker does for a person at a terminal, and its service, one function a verb.
 * SPDX-License-Identifier: MIT
 *
 * Each takes the program's whole argv (argv[1] is the verb) and returns the exit status. Errors are one line on
 * standard error. */
#ifndef EVALUATOR_COMMAND_H
#define EVALUATOR_COMMAND_H

enum { EXIT_USAGE = 2 };

int command_inspect(int argc, char **argv);
int command_eval(int argc, char **argv);
int command_prune(int argc, char **argv);
int command_train(int argc, char **argv);
int command_work(int argc, char **argv);

#endif
