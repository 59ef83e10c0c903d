/* command.h -- pare: from a command line to an exit code.
 * SPDX-License-Identifier: MIT */
#ifndef CLIENT_COMMAND_H
#define CLIENT_COMMAND_H

#include "base/err.h"
#include "client/client.h"

/* All of the program; main does nothing else. Returns the exit code. */
int pare_run(int argc, char **argv);

enum exit_code exit_code_of(enum err err);

#endif
