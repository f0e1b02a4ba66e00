/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handing messages on. Each undelivered message goes as one JSON object to the standard input of the
 * configured command; exit status 0 means delivered. Its output is not kept, its failure is.
 */
#pragma once
#include "cmd/command.h"

int notify_all(struct call *call, struct err *e);
int notify_list(struct call *call, struct err *e);
int notify_by_hand(struct call *call, const char *number, struct err *e);
