/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is calling, and what that lets them do. An operating-system user has the highest role that the
 * rules give to the name or to one of the groups of the process. Where no rule makes anybody an admin,
 * root and the owner of the store are admins: a new store can be used, and nobody is locked out.
 * Users without a role are refused; that is noted in the chain where the store can be written.
 * A tenant is never an operating-system user: only `serve` makes that principal.
 */
#pragma once
#include "alloc/clock.h"
#include "alloc/err.h"

#include <stddef.h>
#include <sys/types.h>

struct store;

enum role { ROLE_NONE, ROLE_TENANT, ROLE_AUDITOR, ROLE_OPERATOR, ROLE_ADMIN };
const char *role_word(enum role role); /* "none" "tenant" "auditor" "operator" "admin" */

struct principal_rule {
    enum role role;
    bool is_group;
    const char *name;
};

struct principal {
    enum role role;
    char actor[128]; /* "admin kim", "admin root (kim)" through sudo, "tenant c0042": for the ledger */
};

/* The caller of this process. owner: of the store's file. */
void principal_of_caller(const struct principal_rule *rules, size_t n, uid_t owner, struct principal *out);
/* The pure part, for a given user: its name, its groups' names, and the user behind sudo (or NULL). */
void principal_of(const struct principal_rule *rules, size_t n, bool is_default_admin, const char *user,
                  const char *const *groups, size_t n_groups, const char *behind, struct principal *out);
void principal_of_tenant(const char *tenant, struct principal *out);

/* Notes "access.refused" with what was wanted: words of the command, never its arguments. */
int principal_note_refusal(struct store *s, const char *actor, const char *wanted, instant_t now,
                           struct err *e);
