/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that come with the program: shipped policies and the catalogue of accelerators. Looked for in
 * ../policies beside the running program (a build in its source tree), then in the installed data
 * folder; nowhere else.
 */
#pragma once
#include "alloc/err.h"

#include <jansson.h>

/* The path of policies/NAME, or NULL when it is in neither place. The caller frees it. */
char *data_policy_file(const char *name);
/* Both places, for messages: "A/policies and in B/policies". Owned. */
char *data_policy_places(void);
/* The names of the shipped files that end with `suffix`, without it: an array of text; empty when none. */
json_t *data_policy_names(const char *suffix);
/* policies/accelerators.json; json_null() when it is not there. NULL with *e set when it cannot be read. */
json_t *data_catalogue(struct err *e);
