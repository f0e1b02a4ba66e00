/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/principal.h"

#include "alloc/scope.h"
#include "alloc/store.h"
#include "cmd/config.h"

#include <stdlib.h>
#include <sys/stat.h>

static size_t add_rules(struct principal_rule *rules, size_t n, enum role role,
                        const struct config_role *of) {
    for (size_t i = 0; i < of->users.n; i++)
        rules[n++] = (struct principal_rule){role, false, of->users.names[i]};
    for (size_t i = 0; i < of->groups.n; i++)
        rules[n++] = (struct principal_rule){role, true, of->groups.names[i]};
    return n;
}

/* Whoever writes the settings gives the roles: only root and the owner of the store may. */
static bool roles_are_believed(const struct config *config, uid_t owner) {
    struct stat st;
    return config->path && stat(config->path, &st) == 0 && (st.st_uid == 0 || st.st_uid == owner);
}

void caller_find(const struct call *call, struct principal *out) {
    static const struct config nothing;
    const struct config *config = call->config ? call->config : &nothing;
    const struct config_role *const of[] = {&config->admins, &config->operators, &config->auditors};
    static const enum role roles[] = {ROLE_ADMIN, ROLE_OPERATOR, ROLE_AUDITOR};
    size_t n = 0, most = 1;
    for (size_t i = 0; i < 3; i++) most += of[i]->users.n + of[i]->groups.n;
    struct principal_rule *rules = mem_alloc(most * sizeof *rules);
    for (size_t i = 0; i < 3; i++) n = add_rules(rules, n, roles[i], of[i]);
    struct stat st;
    bool has_owner = call->store_path && stat(call->store_path, &st) == 0;
    if (!roles_are_believed(config, has_owner ? st.st_uid : 0)) n = 0;
    principal_of_caller(rules, n, has_owner ? st.st_uid : 0, out);
    free(rules);
}

/* With a handle of its own: the call's may be one for reading. Not being able to write changes nothing. */
static void note_refusal(struct call *call) {
    struct err ignored = {0};
    struct store *s = store_open(call->store_path, STORE_WRITE, &ignored);
    if (!s) return;
    store_lock_limit(s, 1000);
    principal_note_refusal(s, call->actor, call->command->words, call->now, &ignored);
    store_close(s);
}

int caller_check(struct call *call, struct err *e) {
    if (call->role >= call->command->role) return 0;
    note_refusal(call);
    err_set(e, ERR_DENIED, "'allot %s' needs the role %s; %s has the role %s", call->command->words,
            role_word(call->command->role), call->actor ? call->actor : "the caller", role_word(call->role));
    return err_hint(e, "roles are given in an allot.conf that belongs to root or to the owner of the store");
}
