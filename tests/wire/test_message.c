/* SPDX-License-Identifier: Apache-2.0 */
/* The tables: names, numbers, layouts, and how two lists of versions agree. */
#include "support/unit.h"
#include "wire/frame.h"
#include "wire/layout.h"

#include <errno.h>

UNIT_TEST(test_names, "names of numbers")
{
    CHECK_NULL(command_name(COMMAND_NONE));
    CHECK_NULL(command_name(COMMAND_LAST + 1));
    CHECK_STRING(command_name(8), "start-upgrade-guest-vm");
    CHECK_STRING(phase_name(0), "idle");
    CHECK_STRING(phase_name(7), "upgraded");
    CHECK_NULL(phase_name(8));
    CHECK_STRING(error_name(0), "ok");
    CHECK_STRING(error_name(1), "malformed");
    CHECK_STRING(error_name(18), "not_ready");
    CHECK_NULL(error_name(19));
    CHECK_STRING(payload_name(0), "NoPayload");
    CHECK_STRING(payload_name(3), "UpgradeStatus");
    CHECK_NULL(payload_name(4));
    CHECK_STRING(frame_type_name(0x0010), "REQUEST");
    CHECK_STRING(frame_type_name(0x0012), "RESPONSE");
    CHECK_NULL(frame_type_name(0x0013));
}

UNIT_TEST(test_commands, "commands")
{
    static const bool queries[] = {false, false, false, true, false, false, true, true, false};
    static const unsigned kinds[] = {0, 0, 0, 2, 0, 0, 1, 3, 0};
    for (unsigned i = 0; i <= COMMAND_LAST; i++) {
        CHECK_ROW("i = %u", i);
        CHECK_EQUAL(command_is_query((enum command)i), queries[i]);
        CHECK_EQUAL(command_answer((enum command)i), kinds[i]);
        if (i > 0) {
            CHECK_EQUAL(command_find(command_name(i)), i);
        }
    }
    CHECK_FALSE(command_is_query((enum command)(COMMAND_LAST + 1)));
    CHECK_EQUAL(command_answer((enum command)(COMMAND_LAST + 1)), PAYLOAD_NONE);
    CHECK_EQUAL(command_find("upgrades"), COMMAND_NONE);
    CHECK_EQUAL(command_find(""), COMMAND_NONE);
}

static const struct layout *each_layout(size_t *step)
{
    static const uint16_t frames[] = {FRAME_HELLO, FRAME_WELCOME, FRAME_ERROR, FRAME_PROGRESS};
    size_t i = (*step)++;
    if (i < 4) {
        return layout_find(frames[i], 0);
    }
    i -= 4;
    if (i < COMMAND_LAST) {
        return layout_find(FRAME_REQUEST, (unsigned)i + 1);
    }
    i -= COMMAND_LAST;
    return i <= PAYLOAD_LAST ? layout_find(FRAME_RESPONSE, (unsigned)i) : NULL;
}

/* What the walk relies on: rising tags; and what the wire promises: a skipped field is odd. */
UNIT_TEST(test_layouts, "layouts keep their promises")
{
    size_t step = 0;
    const struct layout *layout = NULL;
    while ((layout = each_layout(&step)) != NULL) {
        CHECK_NOT_NULL(layout->name);
        CHECK_COMPARE(layout->count, >, 0);
        for (size_t i = 0; i < layout->count; i++) {
            CHECK_ROW("i = %zu", i);
            const struct field *row = &layout->rows[i];
            CHECK_TRUE(i == 0 || row->tag > layout->rows[i - 1].tag);
            CHECK_TRUE(row->presence != FIELD_MANDATORY || row->tag % 2 == 0);
            CHECK_EQUAL(layout_row(layout, row->tag), row);
            CHECK_NOT_NULL(field_type_name(row->type));
        }
        CHECK_NULL(layout_row(layout, 0x7fff));
    }
    CHECK_EQUAL(step, 4 + COMMAND_LAST + PAYLOAD_LAST + 2);
}

UNIT_TEST(test_layout_find, "layouts by frame type and selector")
{
    CHECK_STRING(layout_find(FRAME_REQUEST, COMMAND_NOTIFY)->name, "notify");
    CHECK_STRING(layout_find(FRAME_RESPONSE, 3)->name, "UpgradeStatus");
    CHECK_NULL(layout_find(FRAME_REQUEST, 0));
    CHECK_NULL(layout_find(FRAME_REQUEST, COMMAND_LAST + 1));
    CHECK_NULL(layout_find(FRAME_RESPONSE, PAYLOAD_LAST + 1));
    CHECK_NULL(layout_find(0x0099, 0));
    CHECK_TRUE(layout_needs_selector(FRAME_REQUEST));
    CHECK_TRUE(layout_needs_selector(FRAME_RESPONSE));
    CHECK_FALSE(layout_needs_selector(FRAME_PROGRESS));
    CHECK_EQUAL(field_type_width(FIELD_SHA256), 32);
    CHECK_EQUAL(field_type_width(FIELD_RELEASE), 12);
    CHECK_EQUAL(field_type_width(FIELD_TEXT), 0);
}

static const struct {
    struct wire_versions ours;
    struct wire_versions theirs;
    int error;
    struct wire_version agreed;
} pairs[] = {
    {{1, {{1, 0}}}, {1, {{1, 0}}}, 0, {1, 0}},
    {{1, {{1, 0}}}, {1, {{1, 7}}}, 0, {1, 0}},
    {{1, {{1, 7}}}, {1, {{1, 0}}}, 0, {1, 0}},
    {{1, {{1, 0}}}, {2, {{2, 0}, {1, 3}}}, 0, {1, 0}},
    {{1, {{1, 0}}}, {1, {{2, 0}}}, -EPROTONOSUPPORT, {0, 0}},
    {{3, {{5, 1}, {3, 4}, {1, 0}}}, {3, {{4, 9}, {3, 2}, {1, 8}}}, 0, {3, 2}},
    {{3, {{5, 1}, {3, 4}, {1, 0}}}, {2, {{4, 9}, {2, 2}}}, -EPROTONOSUPPORT, {0, 0}},
    {{1, {{1, 0}}}, {0, {{0, 0}}}, -EPROTONOSUPPORT, {0, 0}},
};

UNIT_TEST(test_version_agree, "agreeing on a version")
{
    CHECK_EACH(i, pairs, "error %d", pairs[i].error) {
        struct wire_version agreed = {0, 0};
        CHECK_EQUAL(version_agree(&pairs[i].ours, &pairs[i].theirs, &agreed), pairs[i].error);
        CHECK_TRUE(version_equal(agreed, pairs[i].agreed));
        CHECK_EQUAL(version_agree(&pairs[i].theirs, &pairs[i].ours, &agreed), pairs[i].error);
        CHECK_TRUE(version_equal(agreed, pairs[i].agreed));
    }
}

UNIT_TEST(test_version_offered, "which version was offered")
{
    static const struct wire_versions ours = {2, {{3, 2}, {1, 0}}};
    static const struct {
        struct wire_version version;
        bool offered;
    } rows[] = {{{3, 2}, true}, {{3, 0}, true},  {{3, 3}, false}, {{2, 0}, false},
                {{1, 0}, true}, {{1, 1}, false}, {{0, 0}, false}, {{0, 9}, false}};
    CHECK_EACH(i, rows, "offered %d", rows[i].offered) {
        CHECK_EQUAL(version_was_offered(&ours, rows[i].version), rows[i].offered);
    }
}

UNIT_TEST(test_versions_format, "a version list as text")
{
    struct wire_versions longest = {.count = WIRE_VERSIONS_MAX};
    char out[VERSIONS_TEXT_MAX];
    versions_format(&(struct wire_versions){.count = 0}, out);
    CHECK_STRING(out, "");
    versions_format(&(struct wire_versions){2, {{2, 0}, {1, 3}}}, out);
    CHECK_STRING(out, "2.0, 1.3");
    for (size_t i = 0; i < WIRE_VERSIONS_MAX; i++) {
        longest.pair[i] = (struct wire_version){255, 255};
    }
    versions_format(&longest, out);
    CHECK_EQUAL(strlen(out), WIRE_VERSIONS_MAX * strlen("255.255, ") - strlen(", "));
}

UNIT_MAIN("wire tables")
