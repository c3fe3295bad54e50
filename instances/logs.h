/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log directory of an instance: what its console has shown and the outputs of recorded commands. Files
 * here are read and removed by workers, since they may be large and their disk slow.
 */
#pragma once

#include "instances/guest-access.h"

#define CONSOLE_LOG "console.log"

/* Answers the request with the file; a console log that is not there is empty. */
void log_reply(struct request *req, struct instance *i, const char *file);
/* Answers the request when the file is gone; a console log that is not there is fine. */
void log_delete(struct request *req, struct instance *i, const char *file);
