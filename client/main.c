/* main.c -- pare, the command line of pared.
 * SPDX-License-Identifier: MIT */
#include "client/command.h"

int main(int argc, char **argv)
{
	return pare_run(argc, argv);
}
