/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a tenant has, and why: for `explain TENANT` and for the tenant itself. What would be given now is
 * found by planning one more request for everything, alone: the reasons that cut it down are what limits
 * the tenant. Nothing is written.
 */
#pragma once
#include "alloc/store.h"
#include "alloc/text.h"
#include "policies/explain.h"

/* {"tenant", "state", "pools": [...]}, the form in allot-explain(1). To a tenant without the grants of
   others. NULL on failure. */
json_t *explain_tenant_json(struct store *s, int64_t tenant, instant_t now, enum explain_to to,
                            struct err *e);
/* The same in sentences, a paragraph for each pool (cmd/explain_words.c). */
void explain_tenant_text(const json_t *tenant, bool korean, struct text *out);
