/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of `allot tenant`, and what its files share. */
#pragma once
#include "alloc/tenant.h"
#include "cmd/command.h"

extern const struct command tenant_commands[];

int tenant_run_show(struct call *call, struct err *e);   /* cmd/tenant_show.c */
int tenant_run_list(struct call *call, struct err *e);   /* cmd/tenant_show.c */
int tenant_run_import(struct call *call, struct err *e); /* cmd/tenant_import.c */
int tenant_run_keys(struct call *call, struct err *e);   /* cmd/tenant_keys.c */
int tenant_run_export(struct call *call, struct err *e); /* cmd/tenant_import.c */
int tenant_check_state(const char *word, struct err *e); /* NULL is fine */

/* Attributes against the policies that decide now (cmd/tenant_attr.c): opened outside the transaction. An
   attribute that no active policy declares is refused; without any policy everything is taken as text. */
struct attr_checks;
int attr_checks_open(struct call *call, struct attr_checks **out, struct err *e);
void attr_checks_close(struct attr_checks *checks); /* NULL is fine */
struct tenant_checker attr_checks_checker(struct attr_checks *checks);
/* Can some tenant have NAME=VALUE (or NAME=: not have NAME)? Else a usage error that names the nearest. */
int attr_checks_word(const struct attr_checks *checks, const char *words, struct err *e);
/* Says, once, when attributes were taken that nothing could check. */
void attr_checks_tell(const struct attr_checks *checks, struct call *call);
