/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.supply: a number that is raised whenever something may have come free for those that wait. A request
 * that was planned at this number can only wait on, so a new one is planned without it. What raises it, each
 * in one place:
 *
 *   units, bytes or seats came free, lost ones or more of them came in    book_write() (alloc/ledger.c)
 *   an offer ended                                                        alloc/offer.c
 *   the pool or a host gives again                                        alloc/pool_restore.c
 *   a sync found devices                                                  alloc/pool_sync.c
 *   a tenant's attributes or state changed                                alloc/tenant_store.c
 *   another policy, or another civil day, decides                         alloc/standing.c
 *   a request for which units were set aside leaves the queue             alloc/request.c
 */
#pragma once
#include "alloc/store.h"

int supply_raise(struct store *s, int64_t pool, struct err *e); /* pool 0: all of them */
int supply_now(struct store *s, int64_t pool, int64_t *out, struct err *e);
