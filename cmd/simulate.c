/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/simulate.h"

#include "alloc/csv.h"
#include "alloc/file.h"
#include "alloc/scope.h"
#include "cmd/output.h"
#include "cmd/policy.h"
#include "policies/generate.h"
#include "policies/measure.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { INPUT_MOST = 256 << 20 };

/* ---- files out ---- */

static int folder_make(const char *path, struct err *e) {
    struct stat st;
    if (mkdir(path, 0777) == 0) return 0;
    if (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) return 0;
    return err_set(e, ERR_FAILED, "cannot make the folder %s: %s", path, strerror(errno));
}

static int file_write(const char *folder, const char *name, const char *text, size_t length, struct err *e) {
    scoped_text struct text path = {0};
    text_add(&path, "%s/%s", folder, name);
    FILE *f = fopen(path.s, "wbe");
    if (!f) return err_set(e, ERR_FAILED, "cannot write %s: %s", path.s, strerror(errno));
    bool failed = fwrite(text, 1, length, f) != length;
    failed |= fclose(f) != 0;
    return failed ? err_set(e, ERR_FAILED, "cannot write %s: %s", path.s, strerror(errno)) : 0;
}

/* Takes the text. */
static int file_put(const char *folder, const char *name, char *text, struct err *e) {
    scoped_free char *owned = text;
    return file_write(folder, name, owned, strlen(owned), e);
}

/* ---- files in ---- */

struct input {
    struct world world;
    struct policy *policy, *against;
    struct policy **events; /* by world_policy() */
    size_t n_events;
};

static struct policy *policy_file_open(struct call *call, const char *word, struct err *e) {
    scoped_free char *path = policy_path(word, e);
    struct diagnostics *d = mem_alloc(sizeof *d);
    struct policy *policy = path ? policy_read(path, d, e) : NULL;
    if (path && !policy && !err_is(e)) policy_fail(call, d, word, e);
    diagnostics_free(d);
    free(d);
    return policy;
}

static void input_free(struct input *in) {
    world_free(&in->world);
    policy_free(in->policy);
    policy_free(in->against);
    for (size_t i = 0; i < in->n_events; i++) policy_free(in->events[i]);
    free(in->events);
}

static const struct policy *policy_named(void *arg, const char *name) {
    const struct input *in = arg;
    size_t i = 0;
    while (strcmp(world_policy(&in->world, i), name) != 0) i++;
    return in->events[i];
}

typedef int read_fn(struct world *w, const char *bytes, size_t length, const char *title, struct err *e);

static int world_file(struct call *call, struct world *w, const char *option, read_fn *read, struct err *e) {
    const char *path = call_option(call, option);
    scoped_text struct text bytes = {0};
    if (!path) return 0;
    if (file_read(path, INPUT_MOST, &bytes, e) < 0) return -1;
    return read(w, bytes.s, bytes.length, file_title(path), e);
}

static int input_read(struct call *call, struct input *in, struct err *e) {
    if (world_file(call, &in->world, "tenants", world_read_tenants, e) < 0 ||
        world_file(call, &in->world, "events", world_read_events, e) < 0 ||
        world_file(call, &in->world, "usage", world_read_usage, e) < 0)
        return -1;
    if (!(in->policy = policy_file_open(call, call_option(call, "policy"), e))) return -1;
    const char *against = call_option(call, "against"), *name;
    if (against && !(in->against = policy_file_open(call, against, e))) return -1;
    size_t room = 0;
    while ((name = world_policy(&in->world, in->n_events))) {
        in->events = mem_grow(in->events, &room, in->n_events + 1, sizeof *in->events);
        if (!(in->events[in->n_events] = policy_file_open(call, name, e))) return -1;
        in->n_events++;
    }
    return 0;
}

static int needs(const struct call *call, const char *const names[], struct err *e) {
    for (; *names; names++)
        if (!call_option(call, *names)) return err_set(e, ERR_USAGE, "--%s is missing", *names);
    return 0;
}

/* A bare date at the beginning of a stretch is its first second. */
static int date_option(const struct call *call, const char *name, bool begins, instant_t *out,
                       struct err *e) {
    const char *text = call_option(call, name);
    if (!text) return 0;
    if (instant_or_date_parse(text, out, e) < 0) return err_context(e, "--%s", name);
    if (begins && strlen(text) == strlen("2027-01-01")) out->s -= CLOCK_DAY;
    return 0;
}

static int count_option(const struct call *call, const char *name, long long low, long long high,
                        int64_t *out, struct err *e) {
    const char *text = call_option(call, name);
    long long n;
    if (!text) return 0;
    if (text_to_int(text, low, high, &n) < 0)
        return err_set(e, ERR_USAGE, "--%s: '%s' is not a whole number from %lld to %lld", name, text, low,
                       high);
    *out = n;
    return 0;
}

/* ---- simulate ---- */

static void day_done(void *arg, size_t days) { progress_step(arg, days); }

static int one_run(struct call *call, struct input *in, const struct policy *policy, instant_t until,
                   struct simulated *out, struct err *e) {
    const struct world *w = &in->world;
    instant_t first = w->n_events ? w->events[0].at : until;
    struct progress progress = {.what = "simulating days",
                                .total = (size_t)((until.s - first.s) / CLOCK_DAY + 1),
                                .off = call->quiet};
    struct sim_options o = {.world = w,
                            .policy = policy,
                            .policies = policy_named,
                            .arg = in,
                            .until = until,
                            .granule = bytes(1),
                            .sentences = call_flag(call, "sentences"),
                            .step = day_done,
                            .step_arg = &progress};
    const char *granule = call_option(call, "granule");
    if (granule && bytes_parse(granule, &o.granule, e) < 0) return err_context(e, "--granule");
    if (until.s < first.s)
        return err_set(e, ERR_USAGE, "--until: nothing has happened by %s; the first event is at %s",
                       instant_text(until).s, instant_text(first).s);
    int rc = sim_run(&out->sim, &o, e);
    progress_end(&progress);
    if (rc == 0) out->measures = measures_of(&out->sim);
    return rc;
}

static int run_write(const char *folder, const char *suffix, const struct simulated *r, struct err *e) {
    char name[64];
    const struct text *log = &r->sim.log;
    text_format(name, sizeof name, "decisions%s.jsonl", suffix);
    if (file_write(folder, name, log->s ? log->s : "", log->length, e) < 0) return -1;
    text_format(name, sizeof name, "days%s.csv", suffix);
    return file_put(folder, name, simulate_days(&r->sim), e);
}

static json_t *summary(const struct simulated *a, const struct simulated *b, int64_t changed) {
    json_t *o = json_pack("{s:O}", "run", a->measures);
    if (!b) return o;
    json_object_set(o, "against", b->measures);
    json_object_set_new(o, "changed_requests", json_integer(changed));
    return o;
}

static int all_write(struct call *call, const struct simulated *a, const struct simulated *b, json_t **out,
                     struct err *e) {
    const char *folder = call_option(call, "out");
    int64_t changed = 0;
    if (folder_make(folder, e) < 0 || run_write(folder, "", a, e) < 0) return -1;
    if (b && (run_write(folder, "-against", b, e) < 0 ||
              file_put(folder, "diff.jsonl", simulate_diff(&a->sim, &b->sim, true, &changed), e) < 0 ||
              file_put(folder, "diff.csv", simulate_diff(&a->sim, &b->sim, false, &changed), e) < 0))
        return -1;
    *out = summary(a, b, changed);
    char *text = json_dumps(*out, JSON_INDENT(2) | JSON_SORT_KEYS);
    if (file_put(folder, "metrics.json", text, e) < 0 ||
        file_put(folder, "metrics.csv", simulate_metrics(a, b), e) < 0)
        return -1;
    return file_put(folder, "report.html", simulate_page(a, b, strcmp(call->lang, "ko") == 0), e);
}

static const struct column summary_columns[] = {{"policy", "policy", CELL_TEXT, false},
                                                {"days", "days", CELL_COUNT, false},
                                                {"tenants", "tenants", CELL_COUNT, false},
                                                {"requests", "requests", CELL_COUNT, false},
                                                {"utilisation", "granted of the pool", CELL_NUMBER, false},
                                                {"jain", "Jain index", CELL_NUMBER, false},
                                                {"max_min_share", "least share", CELL_NUMBER, false},
                                                {NULL, NULL, CELL_TEXT, false}};

static int summary_print(struct call *call, const json_t *all, const char *folder, struct err *e) {
    bool is_json = strcmp(call->format, "json") == 0;
    if (call->quiet && !is_json) return 0;
    if (is_json) return output_object(call, summary_columns, all, e);
    if (output_object(call, summary_columns, json_object_get(all, "run"), e) < 0) return -1;
    const json_t *changed = json_object_get(all, "changed_requests");
    if (changed)
        output_say(call,
                   output_choose(call, "%lld requests are decided otherwise", "결정이 달라진 신청: %lld건"),
                   json_integer_value(changed));
    output_say(call, output_choose(call, "%s/report.html is the page to read", "보고서: %s/report.html"),
               folder);
    return 0;
}

/* What the plan that broke a promise was made from: with it the fault is found. */
static void broken_write(struct call *call, const char *facts, struct err *e) {
    struct err second = {0};
    const char *folder = call_option(call, "out");
    if (facts && folder_make(folder, &second) == 0 &&
        file_write(folder, "broken.json", facts, strlen(facts), &second) == 0)
        err_hint(e, "%s/broken.json has the facts of that plan: report it", folder);
}

static int simulate_run(struct call *call, struct err *e) {
    static const char *const needed[] = {"policy", "tenants", "events", "until", "out", NULL};
    struct input in = {0};
    struct simulated a = {0}, b = {0};
    instant_t until = {0};
    scoped_json json_t *all = NULL;
    int rc = needs(call, needed, e);
    if (rc == 0) rc = date_option(call, "until", false, &until, e);
    if (rc == 0) rc = input_read(call, &in, e);
    if (rc == 0) rc = one_run(call, &in, in.policy, until, &a, e);
    if (rc == 0 && in.against) rc = one_run(call, &in, in.against, until, &b, e);
    if (rc < 0) broken_write(call, a.sim.broken ? a.sim.broken : b.sim.broken, e);
    if (rc == 0) rc = all_write(call, &a, in.against ? &b : NULL, &all, e);
    if (rc == 0) rc = summary_print(call, all, call_option(call, "out"), e);
    json_decref(a.measures);
    json_decref(b.measures);
    sim_end(&a.sim);
    sim_end(&b.sim);
    input_free(&in);
    return rc;
}

static const struct option simulate_options[] = {
    {"policy", "FILE", "the policy that decides: a file, or the name of a shipped one", false},
    {"against", "FILE", "decide everything by this policy too, and list what changes", false},
    {"tenants", "FILE", "who there is (CSV)", false},
    {"events", "FILE", "what happens (JSON lines)", false},
    {"usage", "FILE", "what is used, by day (CSV)", false},
    {"until", "TIME", "the end of the simulated time", false},
    {"granule", "BYTES", "the granule of the pool's storage; 1 B unless given", false},
    {"sentences", NULL, "write into the log why, in words too (slower)", false},
    {"out", "FOLDER", "where the log, the tables and the page are written", false},
    {NULL, NULL, NULL, false}};

/* ---- generate ---- */

static int generate_write(const char *folder, const struct population *p, struct err *e) {
    if (folder_make(folder, e) < 0 ||
        file_write(folder, "tenants.csv", p->tenants.s, p->tenants.length, e) < 0 ||
        file_write(folder, "events.jsonl", p->events.s, p->events.length, e) < 0)
        return -1;
    return file_write(folder, "usage.csv", p->usage.s, p->usage.length, e);
}

static int generate_run(struct call *call, struct err *e) {
    static const char *const needed[] = {"tenants", "seed", "out", NULL};
    struct generate_options o = {.from = instant(INT64_C(1798988400))}; /* 2027-01-04 00:00 in Korea */
    struct population p = {0};
    int64_t years = 1, seed = 0;
    const char *word = call_option(call, "policy");
    if (needs(call, needed, e) < 0 ||
        count_option(call, "tenants", 1, WORLD_TENANTS_MOST, &o.tenants, e) < 0 ||
        count_option(call, "seed", 0, INT64_MAX, &seed, e) < 0 ||
        count_option(call, "years", 1, 20, &years, e) < 0)
        return -1;
    o.events = o.tenants * years * 10;
    o.days = years * 365;
    o.seed = (uint64_t)seed;
    if (count_option(call, "events", 1, WORLD_EVENTS_MOST / 2, &o.events, e) < 0 ||
        date_option(call, "from", true, &o.from, e) < 0)
        return -1;
    struct policy *policy = policy_file_open(call, word ? word : o.tenants > 500 ? "national" : "pilot", e);
    if (!policy) return -1;
    o.policy = policy;
    generate(&o, &p);
    int rc = generate_write(call_option(call, "out"), &p, e);
    if (rc == 0)
        output_say(call,
                   output_choose(call, "%s has tenants.csv, events.jsonl and usage.csv",
                                 "%s에 tenants.csv, events.jsonl, usage.csv를 만들었습니다"),
                   call_option(call, "out"));
    population_free(&p);
    policy_free(policy);
    return rc;
}

static const struct option generate_options[] = {
    {"tenants", "N", "how many", false},
    {"seed", "S", "a number; the same one gives the same files", false},
    {"policy", "FILE", "whose attributes and pool are used; pilot, or national above 500 tenants", false},
    {"years", "N", "how long; 1 unless given", false},
    {"events", "N", "about so many events; 10 a tenant and year unless given", false},
    {"from", "DATE", "the first day; 2027-01-04 unless given", false},
    {"out", "FOLDER", "where the files are written", false},
    {NULL, NULL, NULL, false}};

const struct command simulate_commands[] = {{.words = "policy simulate",
                                             .arguments = "",
                                             .least = 0,
                                             .most = 0,
                                             .summary = "let a policy decide a year of requests, and report",
                                             .flags = COMMAND_NO_STORE | COMMAND_SHOWS,
                                             .role = ROLE_NONE,
                                             .options = simulate_options,
                                             .run = simulate_run},
                                            {.words = "policy generate",
                                             .arguments = "",
                                             .least = 0,
                                             .most = 0,
                                             .summary = "make tenants, requests and use to simulate with",
                                             .flags = COMMAND_NO_STORE,
                                             .role = ROLE_NONE,
                                             .options = generate_options,
                                             .run = generate_run},
                                            {.words = NULL}};
