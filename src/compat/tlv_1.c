/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/tlv_1.h"
#include "compat/tlv_1_sides.h"

const struct dialect dialect_tlv_1 = {
    .name = "tlv-1",
    .title = "TLV wire 1.0",
    .has_progress = true,
    .carries = (1U << (COMMAND_LAST + 1)) - (1U << COMMAND_ATTACH_HSM),
    .claims = tlv_1_host_claims,
    .frame = tlv_1_host_frame,
    .decode = tlv_1_host_decode,
    .encode_answer = tlv_1_host_encode_answer,
    .encode_greeting = tlv_1_guest_encode_greeting,
    .encode_request = tlv_1_guest_encode_request,
    .frame_answer = tlv_1_guest_frame,
    .decode_answer = tlv_1_guest_decode,
};
