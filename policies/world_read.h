/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers of the readers of a world; inside policies/ only. An index maps a name to a place in an array. */
#pragma once
#include "policies/world.h"

bool index_find(const json_t *index, const char *name, size_t *at);
void index_put(json_t **index, const char *name, size_t at);
void attrs_sort(struct fact_attr *attrs, size_t n); /* by name */
/* world_events.c: does the event name a request that another one makes? */
bool event_names_request(enum event_kind kind);
/* world_order.c: when all events are read. 0, or -1: one names what is not there, or comes too early. */
int world_settle(struct world *w, const char *title, struct err *e);
