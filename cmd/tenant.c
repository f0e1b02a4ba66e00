/* SPDX-License-Identifier: Apache-2.0 */
/* allot tenant: one tenant at a time. Files of many stand in cmd/tenant_import.c. */
#include "cmd/tenant.h"

#include "alloc/file.h"
#include "alloc/offer.h"
#include "alloc/scope.h"
#include "cmd/change.h"
#include "cmd/output.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_FILE_MOST = 1 << 20 };

/* What add and set were told, read before the transaction. */
struct edit {
    const char *name;
    struct text key_text; /* of all --key files */
    char **key_lines;
    size_t n_key_lines, key_room;
    struct attr_checks *checks;
};

static void edit_free(struct edit *edit) {
    for (size_t i = 0; i < edit->n_key_lines; i++) free(edit->key_lines[i]);
    free(edit->key_lines);
    text_free(&edit->key_text);
    attr_checks_close(edit->checks);
}

/* A file of public keys: one per line; blank lines and comments are passed over. */
static int keys_read(struct edit *edit, const char *path, struct err *e) {
    scoped_text struct text file = {0};
    if (file_read(path, KEY_FILE_MOST, &file, e) < 0) return -1;
    if (strlen(file.s) != file.length)
        return err_set(e, ERR_USAGE, "%s: this is no SSH public key", file_title(path));
    text_put(&edit->key_text, file.s, file.length);
    struct tenant_key key;
    char *rest = file.s;
    size_t had = edit->n_key_lines;
    for (char *line; (line = strsep(&rest, "\n"));) {
        line += strspn(line, " \t\r");
        if (*line == '\0' || *line == '#') continue;
        if (tenant_key_parse(line, &key, e) < 0) return err_context(e, "%s", file_title(path));
        edit->key_lines =
            mem_grow(edit->key_lines, &edit->key_room, edit->n_key_lines + 1, sizeof *edit->key_lines);
        edit->key_lines[edit->n_key_lines++] = key.line;
    }
    if (edit->n_key_lines > had) return 0;
    return err_set(e, ERR_USAGE, "%s: no SSH public key stands in it", file_title(path));
}

static int edit_begin(struct call *call, struct edit *edit, struct err *e) {
    *edit = (struct edit){.name = call->arguments[0]};
    const char *path;
    for (size_t k = 0; (path = call_option_at(call, "key", k)); k++)
        if (keys_read(edit, path, e) < 0) return -1;
    return attr_checks_open(call, &edit->checks, e);
}

static int attrs_apply(const struct call *call, struct tenant *t, struct err *e) {
    const char *words;
    for (size_t k = 0; (words = call_option_at(call, "unset", k)); k++) {
        if (!tenant_attr(t, words))
            return err_set(e, ERR_NOT_FOUND, "%s has no attribute '%.80s'", t->row.name, words);
        if (tenant_set_attr(t, words, "", e) < 0) return -1;
    }
    for (size_t k = 0; (words = call_option_at(call, "set", k)); k++) {
        const char *equals = strchr(words, '=');
        if (!equals || !equals[1]) {
            err_set(e, ERR_USAGE, "--set %.200s: write ATTR=VALUE", words);
            return err_hint(e, "an attribute is taken away with: allot tenant set %s --unset ATTR",
                            t->row.name);
        }
        scoped_text struct text name = {0};
        text_put(&name, words, (size_t)(equals - words));
        if (tenant_set_attr(t, name.s, equals + 1, e) < 0) return -1;
    }
    return 0;
}

/* The options that add and set share, onto t. */
static int edit_apply(const struct call *call, const struct edit *edit, struct tenant *t, struct err *e) {
    const char *words, *language = call_option(call, "language");
    if (language && tenant_set_language(t, language, e) < 0) return -1;
    for (size_t k = 0; (words = call_option_at(call, "drop-contact", k)); k++)
        if (tenant_drop_contact(t, words, e) < 0) return -1;
    for (size_t k = 0; (words = call_option_at(call, "contact", k)); k++)
        if (tenant_set_contact(t, words, e) < 0) return -1;
    for (size_t k = 0; (words = call_option_at(call, "drop-key", k)); k++)
        if (tenant_drop_key(t, words, e) < 0) return -1;
    for (size_t i = 0; i < edit->n_key_lines; i++)
        if (tenant_set_key(t, edit->key_lines[i], e) < 0) return -1;
    return attrs_apply(call, t, e);
}

/* The answer is kept with an idempotency key for ever: personal words only in a dry run, which keeps none. */
static json_t *edit_answer(const struct change *c, const struct tenant *before, const struct tenant *after,
                           bool changed) {
    const char *outcome = !before ? "added" : changed ? "changed" : "unchanged";
    json_t *changes = tenant_diff(before, after, c->call->dry_run);
    return json_pack("{s:s, s:s, s:i, s:i, s:o}", "name", after->row.name, "outcome", outcome, "contacts",
                     (int)after->n_contacts, "keys", (int)after->n_keys, "changes", changes);
}

static int save(struct change *c, struct book *b, const struct tenant *before, struct tenant *after,
                const struct edit *edit, bool renamed, struct err *e) {
    bool changed = false;
    const struct tenant_checker checker = attr_checks_checker(edit->checks);
    if (tenant_save(b, before, after, &checker, &changed, e) < 0 || book_close(b, e) < 0) return -1;
    c->answer = edit_answer(c, before, after, changed || renamed);
    return 0;
}

static int add_body(struct change *c, struct err *e) {
    const struct edit *edit = c->arg;
    const struct call *call = c->call;
    struct tenant t = {0};
    struct book b;
    const char *organisation = call_option(call, "organisation"), *number = call_option(call, "registration");
    int rc = tenant_set_name(&t, edit->name, e);
    if (rc == 0 && (!organisation || !number))
        rc = err_set(e, ERR_USAGE, "a new tenant needs --organisation and --registration");
    if (rc == 0) rc = tenant_set_organisation(&t, organisation, e);
    if (rc == 0) rc = tenant_set_registration(&t, number, e);
    if (rc == 0) rc = tenant_set_language(&t, "ko", e);
    if (rc == 0) rc = edit_apply(call, edit, &t, e);
    if (rc == 0) rc = book_open(&b, c->store, 0, call->actor, call->now, e);
    if (rc == 0) rc = save(c, &b, NULL, &t, edit, false, e);
    tenant_free(&t);
    return rc;
}

static int set_body(struct change *c, struct err *e) {
    const struct edit *edit = c->arg;
    struct tenant before = {0}, after = {0};
    struct tenant_row row;
    struct book b;
    const char *organisation = call_option(c->call, "organisation");
    bool renamed = false;
    int rc = tenant_find(c->store, edit->name, &row, e);
    if (rc == 0) rc = book_open(&b, c->store, 0, c->call->actor, c->call->now, e);
    if (rc == 0 && organisation) {
        renamed = strcmp(row.organisation_name, organisation) != 0;
        rc = tenant_rename_organisation(&b, &row, organisation, e);
    }
    if (rc == 0) rc = tenant_load(c->store, row.id, &before, e);
    if (rc == 0) {
        tenant_copy(&before, &after);
        rc = edit_apply(c->call, edit, &after, e);
    }
    if (rc == 0) rc = save(c, &b, &before, &after, edit, renamed, e);
    tenant_free(&before);
    tenant_free(&after);
    return rc;
}

/* ---- what people see of a change ---- */

static void say_changes(struct call *call, const json_t *changes) {
    size_t i;
    json_t *change;
    json_array_foreach(changes, i, change) {
        const char *old = json_string_value(json_object_get(change, "old"));
        const char *new = json_string_value(json_object_get(change, "new"));
        output_say(call, "  %s: %s -> %s", json_string_value(json_object_get(change, "field")),
                   old ? old : "-", new ? new : "-");
    }
}

static int answer_print(struct call *call, const json_t *answer, struct err *e) {
    if (strcmp(call->format, "json") == 0) {
        static const struct column none[] = {{0}};
        return output_object(call, none, answer, e);
    }
    const char *outcome = json_string_value(json_object_get(answer, "outcome"));
    output_say(call, output_choose(call, "tenant %s: %s", "테넌트 %s: %s"),
               json_string_value(json_object_get(answer, "name")), output_word(call, outcome));
    if (call->dry_run) say_changes(call, json_object_get(answer, "changes"));
    return 0;
}

static int edit_run(struct call *call, change_fn *body, struct err *e) {
    struct edit edit;
    scoped_json json_t *answer = NULL;
    int rc = edit_begin(call, &edit, e);
    if (rc == 0) rc = change_run(call, body, &edit, edit.key_text.s, &answer, e);
    if (rc == 0) rc = answer_print(call, answer, e);
    if (rc == 0) attr_checks_tell(edit.checks, call);
    edit_free(&edit);
    return rc;
}

static int run_add(struct call *call, struct err *e) { return edit_run(call, add_body, e); }

static int run_set(struct call *call, struct err *e) {
    if (call->n_values > 0) return edit_run(call, set_body, e);
    err_set(e, ERR_USAGE, "nothing to set is named");
    return err_hint(e, "see: allot help tenant set");
}

/* ---- states ---- */

static int state_body(struct change *c, struct err *e) {
    const enum tenant_state *to = c->arg;
    const char *reason = call_option(c->call, "reason");
    struct tenant_row row;
    struct book b;
    if (!reason) return err_set(e, ERR_USAGE, "--reason is needed: it stands in the ledger");
    if (tenant_find(c->store, c->call->arguments[0], &row, e) < 0) return -1;
    if (book_open(&b, c->store, 0, c->call->actor, c->call->now, e) < 0) return -1;
    if (tenant_set_state(&b, &row, *to, reason, e) < 0 || book_close(&b, e) < 0) return -1;
    if (*to == TENANT_SUSPENDED &&
        offers_end_suspended(c->store, row.id, c->call->actor, c->call->now, e) < 0)
        return -1;
    c->answer = json_pack("{s:s, s:s}", "name", row.name, "outcome", tenant_state_words[row.state]);
    return 0;
}

static int state_run(struct call *call, enum tenant_state to, struct err *e) {
    scoped_json json_t *answer = NULL;
    int rc = change_run(call, state_body, &to, NULL, &answer, e);
    return rc < 0 ? -1 : answer_print(call, answer, e);
}

static int run_suspend(struct call *call, struct err *e) { return state_run(call, TENANT_SUSPENDED, e); }
static int run_resume(struct call *call, struct err *e) { return state_run(call, TENANT_ACTIVE, e); }
static int run_close(struct call *call, struct err *e) { return state_run(call, TENANT_CLOSED, e); }

static int forget_body(struct change *c, struct err *e) {
    struct tenant_row row;
    struct book b;
    if (tenant_find(c->store, c->call->arguments[0], &row, e) < 0) return -1;
    if (book_open(&b, c->store, 0, c->call->actor, c->call->now, e) < 0) return -1;
    if (tenant_forget(&b, &row, e) < 0 || book_close(&b, e) < 0) return -1;
    c->answer = json_pack("{s:s, s:s}", "name", row.name, "outcome", "forgotten");
    return 0;
}

static int run_forget(struct call *call, struct err *e) {
    scoped_json json_t *answer = NULL;
    int rc = change_run(call, forget_body, NULL, NULL, &answer, e);
    if (rc < 0 || answer_print(call, answer, e) < 0) return -1;
    output_say(call, "backups made before this still hold its contacts and keys");
    return 0;
}

#define EDITS                                                                                                \
    {"language", "LANG", "language of notices: ko or en", false},                                            \
        {"contact", "CONTACT", "'Kim <kim@x.kr> +82 62 1'; replaces one of that address", true},             \
        {"key", "FILE", "SSH public keys to add, one per line; - is standard input", true}, {                \
        "set", "ATTR=VALUE", "an attribute that policies may ask for", true                                  \
    }

static const struct option add_options[] = {
    {"organisation", "NAME", "name of the organisation; needed", false},
    {"registration", "NUMBER", "its registration number: 123-45-67890; needed", false},
    EDITS,
    {0}};

static const struct option set_options[] = {
    {"organisation", "NAME", "the new name of the organisation, for all its tenants", false},
    EDITS,
    {"unset", "ATTR", "take an attribute away", true},
    {"drop-contact", "EMAIL", "take a contact away", true},
    {"drop-key", "FINGERPRINT", "take an SSH key away (SHA256:...)", true},
    {0}};

static const struct option reason_options[] = {{"reason", "TEXT", "why; stands in the ledger; needed", false},
                                               {0}};

static const struct option list_options[] = {
    {"state", "STATE", "only those that are active, suspended or closed", false},
    {"organisation", "NAME", "only those of this organisation: its name or number", false},
    {"attr", "ATTR=VALUE", "only those with this attribute; ATTR= for those without", true},
    {0}};

static const struct option export_options[] = {
    {"state", "STATE", "only those in this state; without it: all but closed ones", false}, {0}};

static const struct option keys_options[] = {
    {"fingerprint", "FINGERPRINT", "only this key (sshd's %f in AuthorizedKeysCommand)", false},
    {"program", "FILE", "the program that sshd shall start; default: this one", false},
    {0}};

#define CHANGE (COMMAND_CHANGES | COMMAND_SHOWS)
const struct command tenant_commands[] = {
    {"tenant add", "NAME", 1, 1, "add a tenant of an organisation", CHANGE, ROLE_OPERATOR, add_options,
     run_add},
    {"tenant set", "TENANT", 1, 1, "change attributes, contacts, keys or language", CHANGE, ROLE_OPERATOR,
     set_options, run_set},
    {"tenant show", "TENANT", 1, 1, "show one tenant with what it holds", COMMAND_SHOWS, ROLE_AUDITOR, NULL,
     tenant_run_show},
    {"tenant list", "", 0, 0, "list tenants", COMMAND_LISTS, ROLE_AUDITOR, list_options, tenant_run_list},
    {"tenant suspend", "TENANT", 1, 1, "grant nothing new to a tenant until it is resumed", CHANGE,
     ROLE_OPERATOR, reason_options, run_suspend},
    {"tenant resume", "TENANT", 1, 1, "end a suspension", CHANGE, ROLE_OPERATOR, reason_options, run_resume},
    {"tenant close", "TENANT", 1, 1, "end a tenant for ever; refused while it holds anything", CHANGE,
     ROLE_ADMIN, reason_options, run_close},
    {"tenant forget", "TENANT", 1, 1, "blank contacts and keys of a closed tenant", CHANGE, ROLE_ADMIN, NULL,
     run_forget},
    {"tenant import", "FILE", 1, 1, "add and change many tenants from CSV or JSON, all or none", CHANGE,
     ROLE_OPERATOR, NULL, tenant_run_import},
    {"tenant export", "", 0, 0, "write the file that import reads: csv or json", COMMAND_LISTS, ROLE_OPERATOR,
     export_options, tenant_run_export},
    {"tenant keys", "", 0, 0, "print authorized_keys lines: each key may call serve as its tenant", 0,
     ROLE_OPERATOR, keys_options, tenant_run_keys},
    {0}};
