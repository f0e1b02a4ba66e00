/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands about requests and grants share. */
#pragma once
#include "alloc/engine.h"
#include "alloc/request.h"
#include "cmd/change.h"

extern const struct command request_commands[], call_commands[], grant_commands[], queue_commands[],
    explain_commands[], cron_commands[];

/* The options that say what is asked, and where: the same for submit, amend and a direct grant. */
/* clang-format off: one option a line */
#define REQUEST_OPTION_POOL                                                                                  \
    { "pool", "NAME", "the pool (where the store has more than one)", false }
#define REQUEST_OPTIONS_ASK                                                                                  \
    {"flavor", "NAME", "which accelerator; without it any will do", false},                                  \
        {"units", "N", "so many units of the flavor", false},                                                \
        {"compute", "AMOUNT", "so much compute, like '62.4 TF'", false},                                     \
        {"minimum", "AMOUNT", "take less than asked, down to this", false},                                  \
        {"per-server", "N", "so many units must share a server", false},                                     \
        {"storage", "AMOUNT", "storage, like '10 TB'; never partial", false},                                \
        {"datalake", "AMOUNT", "data lake (object storage), like '5 TB'; never partial", false},             \
        {"seats", "NAME=N", "so many seats of a service", true},                                             \
        {"for", "SPAN", "for how long, like '90 days'", false},                                              \
        {"until", "DATE", "until when (the day is included)", false},                                        \
        {"purpose", "TEXT", "what it is for", false}, {                                                      \
        "set", "ATTR=VALUE", "an attribute of the request", true                                             \
    }
/* clang-format on */

/* request_submit.c */
int request_submit_run(struct call *call, struct err *e);
int request_amend_run(struct call *call, struct err *e);
extern const struct option request_submit_options[], request_amend_options[];
/* The requests of a file (CSV, or a JSON array; "-": standard input), each as the document that
   request_decode() takes; lines: filled with the line of each where the file has lines. NULL on failure. */
json_t *request_documents(const char *path, json_t *lines, struct err *e);
/* The request that the options of a call describe, as the document that request_decode() takes. */
json_t *request_from_options(const struct call *call, struct err *e);

/* An answer about one request after a plan: {"request", "tenant", "pool", "state", "outcome", "grant",
   "note", "decision"}. */
json_t *request_answer(struct store *s, const struct engine_results *results, int64_t request, struct err *e);
/* After the commit: makes real what the answers (an array) granted, brings them up to date with what the
   backends said, and gives the exit status of the command. */
int request_finish(struct call *call, json_t *answers, struct err *e);
/* The same for one answer, which is then told. */
int request_finish_one(struct call *call, json_t *answer, struct err *e);
/* 0 granted or partial, 3 denied, 8 queued or held. */
int request_status(const json_t *answer);
/* One line for people, and for a denial the error with its hint (-1). */
int request_tell(struct call *call, const json_t *answer, struct err *e);
/* The first reason of an answer's decision in the caller's language; "" when there is none. */
const char *request_reason(const struct call *call, const json_t *answer);
/* "asked" of a row with flavor, units and compute_gflops: "v100 x 8", "124.8 TF"; null: storage alone. */
void request_asked_set(json_t *row);

/* Submits requests (an array of documents for request_decode) in one transaction. tenant: the caller's own,
   or NULL. The answer is an array in the same order. */
struct submission {
    const json_t *documents;
    const json_t *lines; /* of each, in a file that has lines; NULL */
    const char *title;   /* of the document, for messages */
    bool is_words;       /* one request, of the options of a command */
    const char *tenant;
    const char *approver;                        /* an administrator's direct grant: approval implied */
    const char *override_rule, *override_reason; /* override_rule: ids, comma separated */
    struct maybe_instant override_until;
    struct progress *progress; /* NULL: none */
};
/* The policy that decides now must know its attributes, and their values must fit. b: of its pool. */
int request_check_attributes(struct book *b, const struct request_new *r, struct err *e);
/* The policy that decides now must have the rules, "C1,G1". */
int request_check_rules(struct book *b, const char *rules, struct err *e);
int request_submit_all(struct change *c, const struct submission *s, struct err *e);
