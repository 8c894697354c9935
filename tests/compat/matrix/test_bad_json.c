/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as no guest of ours would write it, at our host: each sample has its own answer, in its own
 * dialect, and the host serves on. */
#include "bad_json.h"
#include "peer_link.h"
#include "place.h"
#include "support/unit.h"

#include <stdio.h>
#include <string.h>

static void fill(const struct sample *sample, struct octets *ret)
{
    octets_clear(ret);
    octets_add(ret, sample->head, sample->head_length);
    for (size_t i = 0; i < sample->count; i++) {
        octets_add_text(ret, sample->open);
    }
    for (size_t i = 0; i < sample->count; i++) {
        octets_add_text(ret, sample->close);
    }
    octets_add_text(ret, sample->tail);
}

static void send_in_manner(const struct peer_link *link, enum manner manner,
                           const struct octets *request)
{
    struct octets byte = {.length = 1};
    if (manner != BYTE_BY_BYTE) {
        (void)peer_link_write(link, request); /* a host that had enough has answered */
    }
    for (size_t i = 0; manner == BYTE_BY_BYTE && i < request->length; i++) {
        byte.bytes[0] = request->bytes[i];
        (void)peer_link_write(link, &byte); /* likewise */
    }
    if (manner == HALF_CLOSED) {
        peer_link_half_close(link);
    }
}

static bool matches(const struct octets *heard, const char *answer)
{
    return heard->length == strlen(answer) && memcmp(heard->bytes, answer, heard->length) == 0;
}

static void run_sample(const struct place *place, const struct sample *sample)
{
    CHECK_ROW("%s", sample->name);
    struct octets request;
    struct octets heard = {.length = 0};
    struct peer_link link = peer_link_connect(place->socket);
    REQUIRE_COMPARE(link.fd, >=, 0);
    fill(sample, &request);
    send_in_manner(&link, sample->manner, &request);
    enum peer_link_end end = peer_link_read_to_end(&link, &heard);
    peer_link_close(&link);
    if (end != PEER_LINK_EOF || !matches(&heard, sample->answer)) {
        printf("\n    %s: %.*s; expected %s%s", sample->name, (int)heard.length,
               (const char *)heard.bytes, sample->answer,
               end == PEER_LINK_EOF ? "" : ", and the end of the stream");
    }
    CHECK_EQUAL(end, PEER_LINK_EOF);
    CHECK_TRUE(matches(&heard, sample->answer));
}

/* The samples one by one, at a host that serves on behind them. */
static void run_all(const struct sample *samples, size_t count, const char *configuration)
{
    static const struct sample good = SAY("a good request behind them", VERSION, ASK_VERSION);
    struct place place;
    place_make(&place);
    place_start(&place, configuration);
    for (size_t i = 0; i < count; i++) {
        run_sample(&place, &samples[i]);
    }
    run_sample(&place, &good);
    CHECK_TRUE(place_stop(&place));
    place_remove(&place);
}

UNIT_TEST(test_samples, "every sample")
{
    for (size_t i = 0; i < bad_json_samples_count; i++) {
        printf("\n    %s: %zu", bad_json_samples[i].name, bad_json_samples[i].count);
        run_all(bad_json_samples[i].sample, bad_json_samples[i].count, "");
    }
}

/* Nobody waits for what does not come. */
UNIT_TEST(test_late, "what does not end in time")
{
    static const struct sample late[] = {
        SAY("an object that goes on", LATE, "{\"sender_cid\":3,"),
        SAY("blanks", LATE, "   "),
    };
    run_all(late, COUNT(late), "[limits]\nfirst_frame_seconds = 1\n");
}

/* Who is not served is told so in the dialect of the request. */
UNIT_TEST(test_forbidden, "who is not served")
{
    static const struct sample samples[] = {
        SAY("json-1",
            ERR("forbidden: CID 3 is not served here: expected one of [listen] allowed_cids, and "
                "on a Unix socket a uid of unix_uids"),
            ASK_VERSION),
        SAY("json-0", INVALID, OLD("notify[0, m]")),
    };
    struct place place;
    place_make(&place);
    place_start(&place, "[listen]\nallowed_cids = 4\n");
    for (size_t i = 0; i < COUNT(samples); i++) {
        run_sample(&place, &samples[i]);
    }
    CHECK_TRUE(place_stop(&place));
    place_remove(&place);
}

/* What does not begin as JSON is told in TLV. */
UNIT_TEST(test_no_dialect, "what begins as no dialect")
{
    static const struct sample samples[] = {
        SAY("a byte order mark", "VSCK", "\xef\xbb\xbf" ASK_VERSION),
        SAY("an array", "VSCK", "[" ASK_VERSION "]"),
        SAY("a string", "VSCK", "\"attach-hsm\""),
    };
    struct place place;
    place_make(&place);
    place_start(&place, "");
    CHECK_EACH(i, samples, "%s", samples[i].name) {
        struct octets request;
        struct octets heard = {.length = 0};
        struct peer_link link = peer_link_connect(place.socket);
        fill(&samples[i], &request);
        send_in_manner(&link, ONE_WRITE, &request);
        CHECK_EQUAL(peer_link_read_to_end(&link, &heard), PEER_LINK_EOF);
        peer_link_close(&link);
        /* ERROR 1.0, id 0; field 2 holds malformed */
        CHECK_COMPARE(heard.length, >, 22);
        CHECK_BYTES(heard.bytes, "VSCK\x01\x00\x00\x03\x00\x00\x00\x00", 12);
        CHECK_BYTES(heard.bytes + 16, "\x00\x02\x00\x02\x00\x01", 6);
    }
    CHECK_TRUE(place_stop(&place));
    place_remove(&place);
}

UNIT_MAIN("bad JSON")
