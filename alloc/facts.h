/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts and decisions as JSON. The facts of a plan are stored once beside its decisions, so that
 * `explain` can plan again; the form is canonical: keys sorted, no blanks, tenants by name, claims by
 * (submitted, id), flavors and attributes by name, whatever order they had in memory. Amounts are
 * integers with the unit in the key, times RFC 3339. What is absent has its default:
 *
 *   {"claims": [{"id", "tenant", "submitted", "flavor"?, "units"? | "compute_gflops"?,
 *                "minimum_units"? | "minimum_gflops"?, "per_server"?, "storage_bytes"?, "until"?,
 *                "term_seconds"?, "approver"?, "override_rule"?, "attrs"?: {name: text},
 *                "datalake_bytes"?, "seats"?: {service: count}, "call"?, "agreed"?, "rank"?,
 *                "replaces"?: {"grant", "compute_gflops"?, "storage_bytes"?, "end"?,
 *                              "holdings"?}}],
 *    "format": 2, "now",
 *    "pool": {"name", "basis", "draining"?, "granule_bytes", "storage_bytes", "storage_free_bytes",
 *             "datalake_bytes"?, "datalake_free_bytes"?, "services"?: [{"name", "seats", "free"}],
 *             "flavors": [{"name", "rating_gflops" | "unrated": true, "units", "free", "lost"?, "coming"?,
 * "sizes"}], "ends"?: [{"at", "grant", "flavor", "units", "notice"?}], "waiting"?, "waiting_gflops"?,
 *             "beside_gflops"?, "beside_bytes"?, "projects"?, "projects_usable"?, "promised"?:
 * {"guarantees_gflops"?, "unused_gflops"?}}, "tenants": [{"name", "organisation"?, "suspended"?,
 * "held_gflops"?, "held_bytes"?, "organisation_gflops"?, "organisation_bytes"?, "attrs"?, "credits"?,
 *                 "holdings"?: [{"item", "held"?, "organisation"?}],
 *                 "spent"?: {"month"?, "quarter"?, "year"?: {"gflops_seconds"?, "byte_hours"?,
 *                            "organisation_gflops_seconds"?, "organisation_byte_hours"?}}}],
 *    "grants"?: [{"id", "tenant", "start", "end", "compute_gflops"?, "storage_bytes"?, "grace_seconds"?,
 *                 "excepted"?, "servers"?: [{"flavor", "units", "operation", "compute_gflops"?,
 *                                            "carries"?, "notice"?}],
 *                 "samples"?: [{"metric", "window_seconds", "covered_percent", "most_percent",
 *                               "mean_percent"}],
 *                 "notices"?: [{"id", "cause", "sent", "effect", "units"?, "flavor"?, "rule"?}]}]}
 *
 * "units" means ASK_UNITS, "compute_gflops" ASK_COMPUTE, neither ASK_NONE; "approver" means approved,
 * "rank" ranked. Format 1, which older stores hold, is format 2 without the later members.
 */
#pragma once
#include "alloc/decide.h"
#include "alloc/scope.h"
#include "alloc/text.h"

enum { FACTS_FORMAT = 2 };

/* The caller frees it. Attributes of one owner must have different names. */
char *facts_encode(const struct facts *facts);

struct facts_owned {
    struct facts facts; /* good until facts_free() */
    json_t *document;
    struct keep memory;
};
/* Strict; messages name the place: "facts: claims[3].units: must be ...". */
int facts_decode(const char *text, struct facts_owned *out, struct err *e);
/* The same from a document that the caller keeps until facts_free(). */
int facts_decode_json(const json_t *document, const char *title, struct facts_owned *out, struct err *e);
void facts_free(struct facts_owned *facts);

/* {"claim", "outcome", "compute_gflops", "storage_bytes", "lines", "lease"?, "limits", "position"?,
    "ahead_gflops"?, "datalake_bytes"?, "seats"?: {service: count},
    "offer"?: {"lines", "compute_gflops", "storage_bytes", "datalake_bytes"?, "seats"?, "until"?},
   "earliest"?: {"at", "grant", "notice"?}, "standing"?: {"tier"?, "rule"?, "lifted"?, "rank", "weight",
   "guarantee_gflops", "held_gflops", "capacity_gflops", "credits"}, "is_barrier"?, "needs_agreement"?,
    "reasons": [{"code", "rule"?, "place"?, "en", "ko", "hint_en"?, "hint_ko"?, "decisive"}]} */
json_t *decision_encode(const struct decision *decision);
/* Strict. The caller ends it with decision_free(). */
int decision_decode(const json_t *document, struct decision *out, struct err *e);
/* What an encoded decision gives, for people: "v100 x 8 (124.8 TF), storage 10 TB, until 2027-02-20"; adds
   nothing for one that gives nothing. */
void decision_given(const json_t *decision, bool korean, struct text *out);
/* Takes out what is somebody else's: whose lease ends first, by which notice. When it ends is told. */
void decision_hide_others(json_t *decision);
/* The next reason at or after *i that says why less was given than asked (rounded, shrunk); NULL past the
   last. Moves *i past it. */
const json_t *decision_less(const json_t *decision, size_t *i);
json_t *plan_encode(const struct plan *plan); /* {"decisions": [...]}, in the order of the plan */
