/* SPDX-License-Identifier: Apache-2.0 */
#include "host/upgrade/recover.h"

#include <stdio.h>

/* What the record says about this installation. */
enum evidence {
    NO_RECORD = 1 << 0, /* none, or one from before installing began, or of another image */
    DAMAGED = 1 << 1,
    STARTED = 1 << 2,
    FAILED = 1 << 3,
    INSTALLED = 1 << 4,  /* the reboot was not asked for */
    UNREBOOTED = 1 << 5, /* installed, but the reboot was refused */
    REBOOTING = 1 << 6,
    ANY_RECORD = 0x7f,
    ON_DISK = INSTALLED | UNREBOOTED | REBOOTING,
    FINAL = FAILED | UNREBOOTED | REBOOTING, /* vsock_host-install writes nothing after it */
};

enum condition { NO = 1, YES = 2, EITHER = 3 };

enum outcome {
    KEEP,
    RUN,
    INSTALL,
    WAIT,
    REBOOT,
    UPGRADED,
    FAIL_AS_RECORDED,
    FAIL_DAMAGED,
    FAIL_CUT,
    FAIL_REBOOTED,
    FAIL_STARTS,
    FAIL_STARTS_INSTALLED,
};

#define PHASE(name) (1U << PHASE_##name)
#define NO_REBOOT   (1U << (PHASE_LAST + 1)) /* failed: the reboot did not come */
#define UNKNOWN     (1U << (PHASE_LAST + 2)) /* failed: the outcome of the installation is unknown */
#define FETCHING    (PHASE(QUEUED) | PHASE(DOWNLOADING) | PHASE(VERIFYING))
#define HANDED_OVER (PHASE(INSTALLING) | PHASE(REBOOTING))

/* The first row that fits decides. `booted`: the machine has been rebooted since. */
static const struct rule {
    unsigned phases;
    enum condition lives;
    enum condition booted;
    unsigned records;
    enum condition changed; /* the version file */
    enum outcome outcome;
} rules[] = {
    {FETCHING, EITHER, EITHER, ANY_RECORD, EITHER, RUN},
    {PHASE(INSTALLING), YES, EITHER, ANY_RECORD, EITHER, WAIT},
    /* After the reboot, also if that came after its time limit, or the installation ended after
     * its own. A recorded failure stays one once it was reported. Until then a changed version file
     * takes precedence: an installer that reboots the machine may be killed by the reboot. */
    {HANDED_OVER | NO_REBOOT | UNKNOWN, EITHER, YES, ON_DISK, EITHER, UPGRADED},
    {HANDED_OVER, EITHER, YES, ANY_RECORD, YES, UPGRADED},
    {HANDED_OVER, EITHER, YES, FAILED, EITHER, FAIL_AS_RECORDED},
    {HANDED_OVER, EITHER, YES, ANY_RECORD, EITHER, FAIL_REBOOTED},
    /* In the same boot. */
    {PHASE(REBOOTING), EITHER, NO, ANY_RECORD, EITHER, REBOOT},
    {PHASE(INSTALLING), NO, NO, NO_RECORD, EITHER, RUN},
    {PHASE(INSTALLING), NO, NO, DAMAGED, EITHER, FAIL_DAMAGED},
    {PHASE(INSTALLING), NO, NO, STARTED, EITHER, FAIL_CUT},
    {PHASE(INSTALLING), NO, NO, FAILED | UNREBOOTED, EITHER, FAIL_AS_RECORDED},
    {PHASE(INSTALLING), NO, NO, INSTALLED, EITHER, INSTALL},
    {PHASE(INSTALLING), NO, NO, REBOOTING, EITHER, REBOOT},
};

static const struct {
    enum recover_action action;
    enum error_code code;
    const char *text;
    bool outcome_unknown;
} outcomes[] = {
    [KEEP] = {RECOVER_KEEP, ERROR_NONE, NULL, false},
    [RUN] = {RECOVER_RUN, ERROR_NONE, NULL, false},
    [INSTALL] = {RECOVER_INSTALL, ERROR_NONE, NULL, false},
    [WAIT] = {RECOVER_WAIT, ERROR_NONE, NULL, false},
    [REBOOT] = {RECOVER_REBOOTING, ERROR_NONE, NULL, false},
    [UPGRADED] = {RECOVER_UPGRADED, ERROR_NONE, NULL, false},
    [FAIL_AS_RECORDED] = {RECOVER_FAILED, ERROR_INSTALL_FAILED, NULL, false},
    [FAIL_DAMAGED] = {RECOVER_FAILED, ERROR_INSTALL_FAILED,
                      "the record of vsock_host-install is damaged: outcome of the installation "
                      "unknown",
                      true},
    [FAIL_CUT] = {RECOVER_FAILED, ERROR_INSTALL_FAILED,
                  "vsock_host-install was ended before it recorded the outcome of the installation",
                  false},
    [FAIL_REBOOTED] = {RECOVER_FAILED, ERROR_INSTALL_FAILED,
                       "the machine was rebooted before the installation had ended, and the "
                       "version file is unchanged",
                       false},
    [FAIL_STARTS] = {RECOVER_FAILED, ERROR_INTERNAL,
                     "given up: vsock_host was ended 5 times while it worked on this upgrade",
                     false},
    [FAIL_STARTS_INSTALLED] = {RECOVER_FAILED, ERROR_INTERNAL,
                               "given up: vsock_host was ended 5 times while it worked on this "
                               "upgrade; the image is installed, and only the reboot is missing",
                               true},
};
_Static_assert(RECOVER_STARTS_MAX == 5, "the texts of FAIL_STARTS say 5");

static bool same_stamp(struct record_stamp a, struct record_stamp b)
{
    return a.inode == b.inode && a.modified_ns == b.modified_ns;
}

static enum evidence find_evidence(const struct state *state, const struct recover_facts *facts)
{
    if (facts->found == RECOVER_RECORD_NONE || same_stamp(state->stamp, facts->stamp)) {
        return NO_RECORD;
    }
    if (facts->found == RECOVER_RECORD_DAMAGED) {
        return DAMAGED;
    }
    const struct install_record *record = &facts->record;
    if (memcmp(record->sha256, state->sha256, SHA256_SIZE) != 0) {
        return NO_RECORD;
    }
    switch (record->stage) {
    case RECORD_STARTED:
        return STARTED;
    case RECORD_FAILED:
        return record->code == ERROR_REBOOT_FAILED ? UNREBOOTED : FAILED;
    case RECORD_INSTALLED:
        return record->code == ERROR_NONE ? INSTALLED : UNREBOOTED;
    case RECORD_REBOOTING:
        return REBOOTING;
    }
    return DAMAGED;
}

/* Since the record of this installation was written, or without one the state. */
static bool rebooted_since(const struct state *state, const struct recover_facts *facts,
                           enum evidence evidence)
{
    bool ours = (evidence & (NO_RECORD | DAMAGED)) == 0;
    return strcmp(ours ? facts->record.boot_id : state->boot_id, facts->boot_id) != 0;
}

static bool version_changed(const struct state *state, const struct recover_facts *facts)
{
    return state->version[0] != '\0' && facts->version[0] != '\0' &&
           strcmp(state->version, facts->version) != 0;
}

static unsigned phase_bit(const struct state *state)
{
    if (state->phase == PHASE_FAILED && state->outcome_unknown != 0) {
        return UNKNOWN;
    }
    bool no_reboot = state->phase == PHASE_FAILED && state->code == ERROR_REBOOT_FAILED;
    return no_reboot ? NO_REBOOT : 1U << state->phase;
}

static bool matches(enum condition wanted, bool is)
{
    return ((unsigned)wanted & (is ? YES : NO)) != 0;
}

static enum recover_life life_of(const struct recover_facts *facts, enum evidence evidence)
{
    if (facts->start_mark) {
        return RECOVER_THIS;
    }
    if (!facts->locked || (evidence & FINAL) != 0) {
        return RECOVER_NOBODY;
    }
    return evidence == NO_RECORD ? RECOVER_ANOTHER : RECOVER_THIS;
}

enum recover_life recover_who_lives(const struct state *state, const struct recover_facts *facts)
{
    return life_of(facts, find_evidence(state, facts));
}

/* The outcome after RECOVER_STARTS_MAX starts. */
static enum outcome give_up(enum outcome outcome)
{
    if (outcome == INSTALL) {
        return FAIL_STARTS_INSTALLED;
    }
    return outcome == RUN ? FAIL_STARTS : outcome;
}

static enum outcome find_outcome(const struct state *state, const struct recover_facts *facts,
                                 enum evidence evidence)
{
    bool booted = rebooted_since(state, facts, evidence);
    bool changed = version_changed(state, facts);
    bool lives = life_of(facts, evidence) != RECOVER_NOBODY;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const struct rule *rule = &rules[i];
        if ((rule->phases & phase_bit(state)) != 0 && matches(rule->lives, lives) &&
            matches(rule->booted, booted) && (rule->records & (unsigned)evidence) != 0 &&
            matches(rule->changed, changed)) {
            bool used_up = facts->starting && state->starts >= RECOVER_STARTS_MAX;
            return used_up ? give_up(rule->outcome) : rule->outcome;
        }
    }
    return KEEP;
}

void recover_decide(const struct state *state, const struct recover_facts *facts,
                    struct recover_decision *ret)
{
    enum evidence evidence = find_evidence(state, facts);
    enum outcome outcome = find_outcome(state, facts, evidence);
    const struct install_record *record = &facts->record;
    struct recover_decision decision = {.action = outcomes[outcome].action,
                                        .code = outcomes[outcome].code,
                                        .reboot_at = state->reboot_at,
                                        .outcome_unknown = outcomes[outcome].outcome_unknown};
    const char *text = outcomes[outcome].text;
    if (outcome == FAIL_AS_RECORDED) {
        bool unrebooted = evidence == UNREBOOTED;
        decision.code = record->code != ERROR_NONE ? record->code
                        : unrebooted               ? ERROR_REBOOT_FAILED
                                                   : ERROR_INSTALL_FAILED;
        text = record->text[0] != '\0' ? record->text : "vsock_host-install failed";
    }
    if (outcome == REBOOT && evidence == REBOOTING) {
        decision.reboot_at = record->reboot_at;
    }
    (void)snprintf(decision.text, sizeof decision.text, "%s", text != NULL ? text : "");
    *ret = decision;
}
