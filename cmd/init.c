/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/hash.h"
#include "alloc/ledger.h"
#include "alloc/scope.h"
#include "alloc/text.h"
#include "cmd/books.h"
#include "cmd/config.h"
#include "cmd/output.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folders above path. New ones are for the owner and the group: the store holds contacts. */
static int folders_make(const char *path, struct err *e) {
    scoped_free char *folder = mem_copy(path);
    for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(folder, 0750) < 0 && errno != EEXIST)
            return err_set(e, ERR_FAILED, "folder %s cannot be made: %s", folder, strerror(errno));
        *slash = '/';
    }
    return 0;
}

static int note(struct store *s, void *arg, struct err *e) {
    const struct call *call = arg;
    scoped_free char *actor = books_actor(call);
    struct book b;
    if (book_open(&b, s, 0, actor, call->now, e) < 0) return -1;
    return book_note(&b, "store.init", 0, store_id(s), e) < 0 ? -1 : book_close(&b, e);
}

/* 1 made, 0 none wanted or there already. */
static int key_make(const struct call *call, const char *key, struct err *e) {
    const struct config *config = call->config;
    bool is_asked = call_option(call, "key") != NULL;
    if (!key || (!is_asked && !(config && config->audit_key))) return 0;
    if (access(key, F_OK) == 0) return 0;
    return folders_make(key, e) < 0 || key_create(key, e) < 0 ? -1 : 1;
}

static const struct column columns[] = {{"store", "store", CELL_TEXT, false},
                                        {"id", "id", CELL_TEXT, false},
                                        {"test_clock", "test clock", CELL_YES, false},
                                        {"key", "signing key", CELL_TEXT, false},
                                        {NULL, NULL, CELL_TEXT, false}};

static int run(struct call *call, struct err *e) {
    bool test_clock = call_flag(call, "test-clock");
    const char *key = call_option(call, "key");
    if (!key && call->config) key = call->config->audit_key;
    if (!call->store_path) {
        err_set(e, ERR_USAGE, "no store is named, and HOME is not set");
        return err_hint(e, "give --store FILE or set ALLOT_STORE");
    }
    if (call->now_given && !test_clock)
        return err_set(e, ERR_USAGE, "--now needs a store made with --test-clock");
    if (folders_make(call->store_path, e) < 0 || store_create(call->store_path, test_clock, call->now, e) < 0)
        return -1;
    struct store *s = store_open(call->store_path, STORE_WRITE, e);
    int rc = s ? store_write(s, note, call, e) : -1;
    int made = rc == 0 ? key_make(call, key, e) : -1;
    if (made >= 0) {
        scoped_json json_t *answer = json_pack("{s:s,s:s,s:b,s:s?}", "store", call->store_path, "id",
                                               store_id(s), "test_clock", test_clock, "key", key);
        rc = output_object(call, columns, answer, e);
        if (key && !made) output_say(call, "the signing key was there already");
        if (!key)
            output_say(call, "no signing key: heads cannot be signed (allot audit key --create --key FILE)");
    }
    store_close(s);
    return made < 0 ? -1 : rc;
}

static const struct option options[] = {
    {"test-clock", NULL, "let --now and fault points work on it; for tests only", false},
    {"key", "FILE", "the key that signs heads of the ledger; made when it is not there", false},
    {NULL, NULL, NULL, false}};

const struct command init_commands[] = {{.words = "init",
                                         .arguments = "",
                                         .summary = "make a new, empty store and its signing key",
                                         .flags = COMMAND_NO_STORE | COMMAND_SHOWS,
                                         .role = ROLE_ADMIN,
                                         .options = options,
                                         .run = run},
                                        {.words = NULL}};
