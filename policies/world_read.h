/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers of the readers of a world; inside policies/ only. An index maps a name to a place in an array. */
#pragma once
#include "policies/world.h"

bool index_find(const json_t *index, const char *name, size_t *at);
void index_put(json_t **index, const char *name, size_t at);
void attrs_sort(struct fact_attr *attrs, size_t n); /* by name */
