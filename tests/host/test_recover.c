/* SPDX-License-Identifier: Apache-2.0 */
#include "host/upgrade/recover.h"
#include "support/unit.h"

#include <stdio.h>

#define THIS_BOOT  "11111111-1111-1111-1111-111111111111"
#define OTHER_BOOT "22222222-2222-2222-2222-222222222222"

/* What the record is, as seen by the upgrade. */
enum seen { NONE, STALE, FOREIGN, DAMAGED, STARTED, FAILED, INSTALLED, REFUSED, REBOOTING };
enum when { SAME_BOOT, NEW_BOOT };
enum { DEAD, LIVES, LEFT }; /* LEFT: vsock_host-install has ended, and its lock is held */
enum { SAME_VERSION, NEW_VERSION, UNKNOWN_VERSION };

struct row {
    enum phase phase;
    enum when when;
    int lives;
    enum seen seen;
    int version;
    enum recover_action action;
    enum error_code code;
};

static const struct row rows[] = {
    {PHASE_IDLE, SAME_BOOT, DEAD, NONE, SAME_VERSION, RECOVER_KEEP, ERROR_NONE},
    {PHASE_IDLE, NEW_BOOT, LIVES, INSTALLED, NEW_VERSION, RECOVER_KEEP, ERROR_NONE},
    {PHASE_UPGRADED, NEW_BOOT, DEAD, INSTALLED, NEW_VERSION, RECOVER_KEEP, ERROR_NONE},
    {PHASE_UPGRADED, SAME_BOOT, DEAD, NONE, SAME_VERSION, RECOVER_KEEP, ERROR_NONE},
    {PHASE_FAILED, NEW_BOOT, DEAD, INSTALLED, NEW_VERSION, RECOVER_KEEP, ERROR_NONE},

    /* What is only being fetched goes on, whatever else there is. */
    {PHASE_QUEUED, SAME_BOOT, DEAD, NONE, SAME_VERSION, RECOVER_RUN, ERROR_NONE},
    {PHASE_DOWNLOADING, SAME_BOOT, DEAD, NONE, SAME_VERSION, RECOVER_RUN, ERROR_NONE},
    {PHASE_DOWNLOADING, NEW_BOOT, DEAD, NONE, NEW_VERSION, RECOVER_RUN, ERROR_NONE},
    {PHASE_DOWNLOADING, NEW_BOOT, DEAD, INSTALLED, NEW_VERSION, RECOVER_RUN, ERROR_NONE},
    {PHASE_VERIFYING, SAME_BOOT, DEAD, NONE, SAME_VERSION, RECOVER_RUN, ERROR_NONE},
    {PHASE_VERIFYING, NEW_BOOT, DEAD, STALE, SAME_VERSION, RECOVER_RUN, ERROR_NONE},

    /* The daemon was restarted while it was installed. */
    {PHASE_INSTALLING, SAME_BOOT, LIVES, STARTED, SAME_VERSION, RECOVER_WAIT, ERROR_NONE},
    {PHASE_INSTALLING, SAME_BOOT, LIVES, NONE, SAME_VERSION, RECOVER_WAIT, ERROR_NONE},
    {PHASE_INSTALLING, SAME_BOOT, LIVES, INSTALLED, SAME_VERSION, RECOVER_WAIT, ERROR_NONE},
    {PHASE_INSTALLING, SAME_BOOT, LIVES, FAILED, SAME_VERSION, RECOVER_WAIT, ERROR_NONE},
    {PHASE_INSTALLING, SAME_BOOT, LIVES, REBOOTING, SAME_VERSION, RECOVER_WAIT, ERROR_NONE},
    {PHASE_INSTALLING, SAME_BOOT, LEFT, NONE, SAME_VERSION, RECOVER_WAIT, ERROR_NONE},
    {PHASE_INSTALLING, SAME_BOOT, LEFT, STALE, SAME_VERSION, RECOVER_WAIT, ERROR_NONE},
    {PHASE_INSTALLING, SAME_BOOT, LEFT, FOREIGN, SAME_VERSION, RECOVER_WAIT, ERROR_NONE},
    {PHASE_INSTALLING, SAME_BOOT, LEFT, DAMAGED, SAME_VERSION, RECOVER_WAIT, ERROR_NONE},
    {PHASE_INSTALLING, SAME_BOOT, LEFT, STARTED, SAME_VERSION, RECOVER_WAIT, ERROR_NONE},
    {PHASE_INSTALLING, SAME_BOOT, LEFT, INSTALLED, SAME_VERSION, RECOVER_WAIT, ERROR_NONE},
    /* What is final is believed, whoever has the lock still. */
    {PHASE_INSTALLING, SAME_BOOT, LEFT, FAILED, NEW_VERSION, RECOVER_FAILED, ERROR_NOT_READY},
    {PHASE_INSTALLING, SAME_BOOT, LEFT, REFUSED, NEW_VERSION, RECOVER_FAILED, ERROR_REBOOT_FAILED},
    {PHASE_INSTALLING, SAME_BOOT, LEFT, REBOOTING, NEW_VERSION, RECOVER_REBOOTING, ERROR_NONE},
    {PHASE_INSTALLING, SAME_BOOT, DEAD, NONE, SAME_VERSION, RECOVER_RUN, ERROR_NONE},
    {PHASE_INSTALLING, SAME_BOOT, DEAD, STALE, SAME_VERSION, RECOVER_RUN, ERROR_NONE},
    {PHASE_INSTALLING, SAME_BOOT, DEAD, FOREIGN, SAME_VERSION, RECOVER_RUN, ERROR_NONE},
    {PHASE_INSTALLING, SAME_BOOT, DEAD, DAMAGED, SAME_VERSION, RECOVER_FAILED,
     ERROR_INSTALL_FAILED},
    {PHASE_INSTALLING, SAME_BOOT, DEAD, STARTED, NEW_VERSION, RECOVER_FAILED, ERROR_INSTALL_FAILED},
    {PHASE_INSTALLING, SAME_BOOT, DEAD, FAILED, NEW_VERSION, RECOVER_FAILED, ERROR_NOT_READY},
    {PHASE_INSTALLING, SAME_BOOT, DEAD, INSTALLED, NEW_VERSION, RECOVER_INSTALL, ERROR_NONE},
    {PHASE_INSTALLING, SAME_BOOT, DEAD, REFUSED, NEW_VERSION, RECOVER_FAILED, ERROR_REBOOT_FAILED},
    {PHASE_INSTALLING, SAME_BOOT, DEAD, REBOOTING, NEW_VERSION, RECOVER_REBOOTING, ERROR_NONE},

    /* The machine was rebooted while it was installed. */
    {PHASE_INSTALLING, NEW_BOOT, DEAD, INSTALLED, SAME_VERSION, RECOVER_UPGRADED, ERROR_NONE},
    {PHASE_INSTALLING, NEW_BOOT, DEAD, REFUSED, SAME_VERSION, RECOVER_UPGRADED, ERROR_NONE},
    {PHASE_INSTALLING, NEW_BOOT, DEAD, REBOOTING, SAME_VERSION, RECOVER_UPGRADED, ERROR_NONE},
    {PHASE_INSTALLING, NEW_BOOT, DEAD, STARTED, NEW_VERSION, RECOVER_UPGRADED, ERROR_NONE},
    {PHASE_INSTALLING, NEW_BOOT, DEAD, STARTED, SAME_VERSION, RECOVER_FAILED, ERROR_INSTALL_FAILED},
    {PHASE_INSTALLING, NEW_BOOT, DEAD, STARTED, UNKNOWN_VERSION, RECOVER_FAILED,
     ERROR_INSTALL_FAILED},
    {PHASE_INSTALLING, NEW_BOOT, DEAD, FAILED, NEW_VERSION, RECOVER_UPGRADED, ERROR_NONE},
    {PHASE_INSTALLING, NEW_BOOT, DEAD, FAILED, SAME_VERSION, RECOVER_FAILED, ERROR_NOT_READY},
    {PHASE_INSTALLING, NEW_BOOT, DEAD, NONE, NEW_VERSION, RECOVER_UPGRADED, ERROR_NONE},
    {PHASE_INSTALLING, NEW_BOOT, DEAD, NONE, SAME_VERSION, RECOVER_FAILED, ERROR_INSTALL_FAILED},
    {PHASE_INSTALLING, NEW_BOOT, DEAD, STALE, SAME_VERSION, RECOVER_FAILED, ERROR_INSTALL_FAILED},
    {PHASE_INSTALLING, NEW_BOOT, DEAD, FOREIGN, SAME_VERSION, RECOVER_FAILED, ERROR_INSTALL_FAILED},
    {PHASE_INSTALLING, NEW_BOOT, DEAD, DAMAGED, SAME_VERSION, RECOVER_FAILED, ERROR_INSTALL_FAILED},
    {PHASE_INSTALLING, NEW_BOOT, DEAD, DAMAGED, NEW_VERSION, RECOVER_UPGRADED, ERROR_NONE},

    /* The reboot was scheduled. */
    {PHASE_REBOOTING, SAME_BOOT, DEAD, REBOOTING, NEW_VERSION, RECOVER_REBOOTING, ERROR_NONE},
    {PHASE_REBOOTING, SAME_BOOT, LIVES, NONE, NEW_VERSION, RECOVER_REBOOTING, ERROR_NONE},
    {PHASE_REBOOTING, NEW_BOOT, DEAD, REBOOTING, SAME_VERSION, RECOVER_UPGRADED, ERROR_NONE},
    {PHASE_REBOOTING, NEW_BOOT, DEAD, INSTALLED, SAME_VERSION, RECOVER_UPGRADED, ERROR_NONE},
    {PHASE_REBOOTING, NEW_BOOT, DEAD, NONE, NEW_VERSION, RECOVER_UPGRADED, ERROR_NONE},
    {PHASE_REBOOTING, NEW_BOOT, DEAD, NONE, SAME_VERSION, RECOVER_FAILED, ERROR_INSTALL_FAILED},
};

static void set_record(enum seen seen, const char *boot_id, struct recover_facts *facts)
{
    static const enum install_record_stage stages[] = {
        [STARTED] = RECORD_STARTED,     [FAILED] = RECORD_FAILED,
        [INSTALLED] = RECORD_INSTALLED, [REFUSED] = RECORD_INSTALLED,
        [REBOOTING] = RECORD_REBOOTING, [STALE] = RECORD_REBOOTING,
        [FOREIGN] = RECORD_REBOOTING,
    };
    if (seen == NONE) {
        return;
    }
    facts->stamp = (struct record_stamp){7, seen == STALE ? 1 : 2};
    facts->found = seen == DAMAGED ? RECOVER_RECORD_DAMAGED : RECOVER_RECORD_READ;
    facts->record = (struct install_record){.stage = stages[seen], .reboot_at = 4711};
    (void)snprintf(facts->record.boot_id, BOOT_ID_SIZE, "%s", boot_id);
    memset(facts->record.sha256, seen == FOREIGN ? 0x55 : 0xaa, SHA256_SIZE);
    if (seen == FAILED) {
        facts->record.code = ERROR_NOT_READY;
        (void)snprintf(facts->record.text, sizeof facts->record.text, "try later");
    } else if (seen == REFUSED) {
        facts->record.code = ERROR_REBOOT_FAILED;
    }
}

static void set_up(const struct row *row, struct state *state, struct recover_facts *facts)
{
    static const char *const versions[] = {
        [SAME_VERSION] = "1.0", [NEW_VERSION] = "2.0", [UNKNOWN_VERSION] = ""};
    const char *then = row->when == SAME_BOOT ? THIS_BOOT : OTHER_BOOT;
    memset(state, 0, sizeof *state);
    memset(facts, 0, sizeof *facts);
    state->phase = row->phase;
    memset(state->sha256, 0xaa, SHA256_SIZE);
    state->stamp = (struct record_stamp){7, 1};
    state->reboot_at = 42;
    (void)snprintf(state->boot_id, BOOT_ID_SIZE, "%s", then);
    (void)snprintf(state->version, sizeof state->version, "1.0");
    facts->starting = true;
    facts->start_mark = row->lives == LIVES;
    facts->locked = row->lives != DEAD;
    (void)snprintf(facts->boot_id, BOOT_ID_SIZE, THIS_BOOT);
    (void)snprintf(facts->version, sizeof facts->version, "%s", versions[row->version]);
    set_record(row->seen, then, facts);
}

static struct state state;
static struct recover_facts facts;
static struct recover_decision decision;

static void decide(const struct row *row)
{
    set_up(row, &state, &facts);
    recover_decide(&state, &facts, &decision);
}

UNIT_TEST(test_every_row, "every row")
{
    CHECK_EACH(i, rows, "phase %u", rows[i].phase) {
        decide(&rows[i]);
        CHECK_EQUAL(decision.action, rows[i].action);
        CHECK_EQUAL(decision.code, rows[i].code);
        CHECK_EQUAL(decision.text[0] != '\0', rows[i].action == RECOVER_FAILED);
    }
}

/* The end of the installation was not seen, and it was told as failed; what its record says after
 * the reboot is the truth. */
UNIT_TEST(test_end_that_was_not_seen, "an end that was not seen")
{
    static const struct {
        enum seen seen;
        enum when when;
        bool outcome_unknown;
        enum recover_action action;
    } ends[] = {
        {INSTALLED, NEW_BOOT, true, RECOVER_UPGRADED},
        {REFUSED, NEW_BOOT, true, RECOVER_UPGRADED},
        {REBOOTING, NEW_BOOT, true, RECOVER_UPGRADED},
        {INSTALLED, SAME_BOOT, true, RECOVER_KEEP},
        {REBOOTING, SAME_BOOT, true, RECOVER_KEEP},
        {NONE, NEW_BOOT, true, RECOVER_KEEP},
        {STALE, NEW_BOOT, true, RECOVER_KEEP},
        {FOREIGN, NEW_BOOT, true, RECOVER_KEEP},
        {DAMAGED, NEW_BOOT, true, RECOVER_KEEP},
        {STARTED, NEW_BOOT, true, RECOVER_KEEP},
        {FAILED, NEW_BOOT, true, RECOVER_KEEP},
        /* The installer said itself that it had failed. */
        {INSTALLED, NEW_BOOT, false, RECOVER_KEEP},
        {REBOOTING, NEW_BOOT, false, RECOVER_KEEP},
        {FAILED, NEW_BOOT, false, RECOVER_KEEP},
    };
    CHECK_EACH(i, ends, "seen %u", ends[i].seen) {
        for (int version = SAME_VERSION; version <= UNKNOWN_VERSION; version++) {
            CHECK_ROW("version = %d", version);
            const struct row row = {
                .phase = PHASE_FAILED,
                .when = ends[i].when,
                .seen = ends[i].seen,
                .version = version,
            };
            set_up(&row, &state, &facts);
            state.code = ERROR_INSTALL_FAILED;
            state.outcome_unknown = ends[i].outcome_unknown ? 1 : 0;
            recover_decide(&state, &facts, &decision);
            CHECK_EQUAL(decision.action, ends[i].action);
        }
    }
}

/* Only where the record could not be read is the end not known. */
UNIT_TEST(test_what_counts_as_not_seen, "what counts as not seen")
{
    CHECK_EACH(i, rows, "phase %u", rows[i].phase) {
        decide(&rows[i]);
        CHECK_EQUAL(decision.outcome_unknown, decision.action == RECOVER_FAILED &&
                                                  rows[i].when == SAME_BOOT &&
                                                  rows[i].seen == DAMAGED);
    }
}

/* Whatever is there: a success needs an installation on record or a version that changed, both
 * over a reboot. */
UNIT_TEST(test_no_success_without_proof, "no success without proof")
{
    size_t successes = 0;
    for (unsigned phase = 0; phase <= PHASE_LAST; phase++) {
        CHECK_ROW("phase = %u", phase);
        for (unsigned bits = 0; bits < 2 * 3 * 9 * 3; bits++) {
            CHECK_ROW("bits = %u", bits);
            const struct row row = {.phase = (enum phase)phase,
                                    .when = bits % 2 == 0 ? SAME_BOOT : NEW_BOOT,
                                    .lives = (int)(bits / 2 % 3),
                                    .seen = (enum seen)(bits / 6 % 9),
                                    .version = (int)(bits / 54)};
            decide(&row);
            bool installed = row.seen == INSTALLED || row.seen == REFUSED || row.seen == REBOOTING;
            bool proof = row.when == NEW_BOOT && (installed || row.version == NEW_VERSION);
            if (decision.action == RECOVER_UPGRADED) {
                CHECK_TRUE(proof);
                successes++;
            }
            if (decision.action == RECOVER_REBOOTING) {
                CHECK_EQUAL(row.when, SAME_BOOT);
            }
        }
    }
    CHECK_COMPARE(successes, >, 0);
}

UNIT_TEST(test_starts_are_counted, "starts are counted")
{
    static const struct row again[] = {
        {PHASE_DOWNLOADING, SAME_BOOT, DEAD, NONE, SAME_VERSION, RECOVER_RUN, ERROR_NONE},
        {PHASE_INSTALLING, SAME_BOOT, DEAD, INSTALLED, SAME_VERSION, RECOVER_INSTALL, ERROR_NONE},
    };
    CHECK_EACH(i, again, "phase %u", again[i].phase) {
        set_up(&again[i], &state, &facts);
        state.starts = RECOVER_STARTS_MAX - 1;
        recover_decide(&state, &facts, &decision);
        CHECK_EQUAL(decision.action, again[i].action);
        state.starts = RECOVER_STARTS_MAX;
        recover_decide(&state, &facts, &decision);
        CHECK_EQUAL(decision.action, RECOVER_FAILED);
        CHECK_EQUAL(decision.code, ERROR_INTERNAL);
        /* What is installed is booted by any reboot. */
        CHECK_EQUAL(decision.outcome_unknown, again[i].seen == INSTALLED);
        facts.starting = false; /* vsock_host-install has just ended: no start */
        recover_decide(&state, &facts, &decision);
        CHECK_EQUAL(decision.action, again[i].action);
    }
}

UNIT_TEST(test_starts_do_not_hide_an_end, "starts do not hide an end")
{
    static const struct row row = {PHASE_INSTALLING, NEW_BOOT,         DEAD,      INSTALLED,
                                   SAME_VERSION,     RECOVER_UPGRADED, ERROR_NONE};
    set_up(&row, &state, &facts);
    state.starts = RECOVER_STARTS_MAX + 7;
    recover_decide(&state, &facts, &decision);
    CHECK_EQUAL(decision.action, RECOVER_UPGRADED);
}

UNIT_TEST(test_late_reboot, "a reboot that came late")
{
    static const struct row row = {PHASE_FAILED, NEW_BOOT,         DEAD,      REBOOTING,
                                   SAME_VERSION, RECOVER_UPGRADED, ERROR_NONE};
    set_up(&row, &state, &facts);
    state.code = ERROR_REBOOT_FAILED;
    recover_decide(&state, &facts, &decision);
    CHECK_EQUAL(decision.action, RECOVER_UPGRADED);
    (void)snprintf(facts.record.boot_id, BOOT_ID_SIZE, THIS_BOOT);
    recover_decide(&state, &facts, &decision);
    CHECK_EQUAL(decision.action, RECOVER_KEEP);
}

/* Somebody installed the same image by hand after the reboot: that one has not been booted. */
UNIT_TEST(test_record_of_this_boot, "a record of this boot")
{
    static const struct row row = {PHASE_INSTALLING, NEW_BOOT,          DEAD,      REBOOTING,
                                   SAME_VERSION,     RECOVER_REBOOTING, ERROR_NONE};
    set_up(&row, &state, &facts);
    (void)snprintf(facts.record.boot_id, BOOT_ID_SIZE, THIS_BOOT);
    recover_decide(&state, &facts, &decision);
    CHECK_EQUAL(decision.action, RECOVER_REBOOTING);
    CHECK_EQUAL(decision.reboot_at, 4711);
}

UNIT_TEST(test_texts, "texts come from the record")
{
    static const struct row failed = {PHASE_INSTALLING, SAME_BOOT,      DEAD,           FAILED,
                                      SAME_VERSION,     RECOVER_FAILED, ERROR_NOT_READY};
    decide(&failed);
    CHECK_STRING(decision.text, "try later");
    facts.record.code = ERROR_NONE; /* a record that does not say why */
    facts.record.text[0] = '\0';
    recover_decide(&state, &facts, &decision);
    CHECK_EQUAL(decision.code, ERROR_INSTALL_FAILED);
    CHECK_STRING(decision.text, "vsock_host-install failed");
}

/* A lock is of another installation only where nothing of this one is known. */
UNIT_TEST(test_who_lives, "who lives")
{
    static const enum recover_life lives[][3] = {
        /* DEAD, LIVES, LEFT */
        [NONE] = {RECOVER_NOBODY, RECOVER_THIS, RECOVER_ANOTHER},
        [STALE] = {RECOVER_NOBODY, RECOVER_THIS, RECOVER_ANOTHER},
        [FOREIGN] = {RECOVER_NOBODY, RECOVER_THIS, RECOVER_ANOTHER},
        [DAMAGED] = {RECOVER_NOBODY, RECOVER_THIS, RECOVER_THIS},
        [STARTED] = {RECOVER_NOBODY, RECOVER_THIS, RECOVER_THIS},
        [FAILED] = {RECOVER_NOBODY, RECOVER_THIS, RECOVER_NOBODY},
        [INSTALLED] = {RECOVER_NOBODY, RECOVER_THIS, RECOVER_THIS},
        [REFUSED] = {RECOVER_NOBODY, RECOVER_THIS, RECOVER_NOBODY},
        [REBOOTING] = {RECOVER_NOBODY, RECOVER_THIS, RECOVER_NOBODY},
    };
    for (int seen = NONE; seen <= REBOOTING; seen++) {
        CHECK_ROW("seen = %d", seen);
        for (int who = DEAD; who <= LEFT; who++) {
            CHECK_ROW("who = %d", who);
            const struct row row = {
                .phase = PHASE_INSTALLING, .seen = (enum seen)seen, .lives = who};
            set_up(&row, &state, &facts);
            CHECK_EQUAL(recover_who_lives(&state, &facts), lives[seen][who]);
        }
    }
}

UNIT_MAIN("recover")
