"""What we do about each rule of a receiver, and which test shows it (docs/receiver.md). The rules: adapter/conformance/rules.py.

A test is a row of the catalogue of bad input (`M04`), or `file::test` below `tests/`. `later` says why a rule has none.
"""

from dataclasses import dataclass

from adapter.conformance.rules import RULES as ASKED

SERVER = "shell/test_mllp_server.py::"
TLS = "shell/test_mllp_tls.py::"
RECEIVER = "shell/test_receiver.py::"
SOURCES = "shell/test_source_settings.py::"
ACK = "unit/hl7/test_ack.py::"
PROFILES = "catalogue/test_acknowledgment.py::"
READER = "unit/hl7/test_er7.py::"
FRAMES = "unit/hl7/test_mllp.py::"
ESCAPES = "unit/hl7/test_escapes.py::"
CHARSETS = "unit/hl7/test_charsets.py::"
TIMES = "unit/hl7/test_datatypes.py::"
STORED = "unit/store/test_inbox.py::"
READ = "unit/screening/test_interpret.py::"
INBOX = "shell/test_inbox.py::"


@dataclass(frozen=True)
class Rule:
    number: int
    done: str
    tests: tuple[str, ...] = ()
    later: str = ""

    @property
    def asked(self) -> str:
        return ASKED[str(self.number)].text


def rule(number: int, done: str, *tests: str, later: str = "") -> Rule:
    return Rule(number, done, tests, later)


FRAMING = (
    rule(
        1,
        "so read, and so written",
        FRAMES + "test_a_whole_frame_comes_out_as_it_went_in",
    ),
    rule(
        2,
        "framing does not depend on how TCP cut the bytes",
        "M01",
        "M02",
        "M03",
        "laws/test_mllp_framing.py::test_framing_ignores_how_tcp_cuts_the_bytes",
    ),
    rule(
        3,
        "dropped and counted; FS alone ends a frame before VT or after 500 ms of silence",
        "M04",
        "M07",
        "M08",
        FRAMES + "test_fs_and_lf_end_when_the_next_frame_starts",
    ),
    rule(
        4,
        "the unfinished part is quarantined, counted, never answered",
        "M06",
        FRAMES + "test_a_second_start_drops_the_unfinished_frame_and_keeps_the_new_one",
    ),
    rule(
        5,
        "1 KiB before the first frame, 4 KiB later",
        "M05",
        "M04",
    ),
    rule(
        6,
        "frames are stored together and answered in their order",
        "M03",
        SERVER + "test_answers_keep_their_order_though_the_second_is_stored_first_and_reading_stops_at_the_bound",
    ),
    rule(7, "until the peer closes", "M14", "M02"),
    rule(
        8,
        "served",
        RECEIVER + "test_a_peer_that_connects_for_each_message_is_served_as_often_as_it_comes",
    ),
    rule(
        9,
        "100 a source, 20 an unlisted peer; beyond, closed at once, counted, logged and on record",
        "M15",
        "M16",
        RECEIVER + "test_a_refusal_is_on_record_once_an_hour_for_each_peer_and_reason",
    ),
    rule(
        10,
        "keep-alive after 30 s finds a dead peer within 60 s; `idle_seconds` is 0 unless set, and at least 60",
        RECEIVER + "test_keep_alive_finds_a_dead_peer_within_a_minute",
        RECEIVER + "test_a_silent_connection_is_closed_only_where_the_source_says_when",
        RECEIVER + "test_idle_is_off_unless_it_is_asked_for",
        SOURCES + "test_an_idle_limit_of_seconds_is_refused",
    ),
    rule(11, "`frame_seconds`, 30 s from VT to FS", "M13", "M14"),
    rule(
        12,
        "`max_bytes`, 16 MiB; beyond, 64 KiB and the hash are kept, AE 207",
        "M17",
        "M18",
        "M19",
        FRAMES + "test_memory_stays_at_the_head_while_an_oversize_frame_runs_on",
    ),
    rule(
        13,
        "after one commit, in one piece",
        RECEIVER + "test_the_answer_waits_for_nothing_but_storing",
    ),
    rule(
        14,
        "no answer, connection closed; the listener closes first when we stop",
        SERVER + "test_what_could_not_be_stored_is_not_acknowledged_and_the_connection_closes",
        INBOX + "test_a_full_disk_gives_no_receipt_and_passes_by_itself",
    ),
    rule(15, "frames in hand have ten seconds to end, be stored and answered", "M30"),
    rule(
        16,
        "each per source; a certificate may be pinned to what it may send; failures counted by reason; "
        "the address has no default, and plain MLLP beyond this machine is warned of",
        "M23",
        "M24",
        "M25",
        "M26",
        TLS + "test_a_pinned_certificate_sends_as_its_own_sender_alone",
        TLS + "test_an_old_protocol_is_refused",
        RECEIVER + "test_a_certificate_is_spoken_of_thirty_and_seven_days_before_it_ends",
        SOURCES + "test_check_and_metrics_speak_of_a_certificate_that_expires",
        SOURCES + "test_plain_mllp_beyond_this_machine_is_warned_of",
    ),
    rule(17, "never sent; ignored when they come", "M32"),
    rule(
        18,
        "always",
        ACK + "test_the_answer_turns_the_addresses_round_and_copies_the_control_id",
        ACK + "test_a_control_id_that_ends_with_fs_cannot_end_our_frame",
    ),
)

ANSWERING = (
    rule(
        19,
        "one fsync'd commit before the answer",
        "M31",
        INBOX + "test_a_receipt_means_that_the_message_is_stored",
        "crash/test_daemon_kill.py::test_kills_change_nothing_but_the_time_it_takes",
    ),
    rule(
        20,
        "receiving and processing share only the store",
        RECEIVER + "test_the_answer_waits_for_nothing_but_storing",
    ),
    rule(
        21,
        "AA, AE, AR",
        ACK + "test_a_stored_message_is_accepted_in_the_mode_its_header_asks_for",
        "M01",
    ),
    rule(22, "so answered", "H19", "H20", "H21"),
    rule(23, "AA", "H19"),
    rule(24, "never sent: one answer a message", "H20"),
    rule(
        25,
        "ignored and counted",
        "M33",
        ACK + "test_an_acknowledgment_is_never_acknowledged",
    ),
    rule(
        26,
        "as table 0008 says; which is said when, by profile",
        ACK + "test_the_strict_profile_refuses_by_table_0357",
        PROFILES + "test_no_profile_says_what_its_engine_may_not_hear",
    ),
    rule(
        27,
        "a profile for each ([acknowledgment.md](acknowledgment.md)); AR in `strict` alone, never to InterSystems",
        PROFILES + "test_every_production_profile_answers_on_the_wire_as_the_catalogue_says",
        PROFILES + "test_only_what_was_not_kept_whole_is_refused_in_production",
        ACK + "test_intersystems_never_hears_a_reject",
    ),
    rule(
        28,
        "so, and the sender sends again in its order",
        SERVER + "test_what_could_not_be_stored_is_not_acknowledged_and_the_connection_closes",
        INBOX + "test_after_a_storage_failure_nothing_is_acknowledged_any_more",
    ),
    rule(
        29,
        "quarantine; `strict` refuses it with ERR",
        "H02",
        "H08",
        "H29",
        "H31",
        "H39",
        "shell/test_process.py::test_a_message_that_breaks_us_is_quarantined_after_three_tries_and_the_others_go_on",
    ),
    rule(30, "stored, ignored by rule", "H10", "H11"),
    rule(
        31,
        "quarantine `PROCID`",
        "H12",
    ),
    rule(
        32,
        "AE 100 with an empty MSA-2; an empty MSH-10 is stored and answered with an empty MSA-2 (ruling D)",
        "H01",
        "H03",
    ),
)

CONTENTS = (
    rule(
        33,
        "so",
        "H07",
        ACK + "test_the_answer_turns_the_addresses_round_and_copies_the_control_id",
        ACK + "test_the_answer_uses_the_separators_of_the_message",
    ),
    rule(
        34,
        "so, over restarts too",
        RECEIVER + "test_every_answer_has_an_id_of_its_own_and_says_when",
        RECEIVER + "test_ids_of_a_later_start_are_others",
    ),
    rule(
        35,
        "`ACK^event` in 2.3, `ACK` before",
        PROFILES + "test_each_version_is_answered_in_its_own_shape",
        ACK + "test_the_type_of_the_answer_follows_the_version",
    ),
    rule(
        36,
        "so",
        ACK + "test_the_character_set_is_echoed_and_the_bytes_are_the_senders",
    ),
    rule(
        37,
        "copied from the wire, never decoded",
        "H04",
        ACK + "test_bytes_that_do_not_decode_are_echoed_all_the_same",
    ),
    rule(
        38,
        "table 0357's own words, only with a refusal",
        ACK + "test_no_byte_of_the_patient_enters_the_answer",
        ACK + "test_a_header_that_ran_into_the_patient_gives_none_of_it_back",
    ),
    rule(
        39,
        "so",
        PROFILES + "test_each_version_is_answered_in_its_own_shape",
        ACK + "test_a_refusal_names_the_error_where_the_version_keeps_it",
    ),
)

REPEATING = (
    rule(
        40,
        "key: source, MSH-3, MSH-4, MSH-10 and the hash of the bytes",
        "H05",
        SERVER + "test_m31_a_duplicate_replays_the_stored_answer_byte_for_byte",
        STORED + "test_a_duplicate_makes_no_row_and_answers_with_the_stored_acknowledgment",
    ),
    rule(
        41,
        "`control_id_reuse`",
        "H06",
        STORED + "test_a_control_id_with_other_bytes_is_a_new_message_and_counted",
    ),
    rule(
        42,
        "as long as the raw store",
        RECEIVER + "test_a_repetition_is_known_years_later",
    ),
    rule(
        43,
        "by order number, code and OBX-4",
        "C54",
        "C28",
        "C29",
    ),
    rule(
        44,
        "the state does not depend on order at all; a merge is processed alone",
        "laws/test_orders.py::test_every_order_of_an_admission_ends_in_the_same_state_and_assessment",
        "laws/test_orders.py::test_the_store_ends_alike_with_merges",
    ),
    rule(
        45,
        "a result before its admission, a cancel before its event: the same end",
        "C23",
        "C13",
        "shell/test_process.py::test_results_before_their_admission_leave_no_second_row_and_no_second_count",
    ),
    rule(
        46,
        "both are stored and flagged, the first is answered",
        "H35",
        READER + "test_a_batch_of_one_and_a_batch_of_none",
        "shell/test_commands.py::test_convert_finds_every_message_in_a_file",
    ),
    rule(
        47,
        "quarantine `CONTINUATION` with a sentence",
        "H37",
    ),
)

READING = (
    rule(
        48,
        "as found",
        "M09",
        "M10",
        "M28",
        "laws/test_er7.py::test_printing_undoes_parsing_for_any_bytes_with_a_header",
    ),
    rule(49, "so", "H07", "H08"),
    rule(
        50,
        "2.1 to 2.8, unknown and missing ones",
        "H13",
        "H14",
        "unit/screening/test_versions.py::test_every_version_of_a_result_and_of_an_admission_is_read_alike",
    ),
    rule(51, "ignored", "H25", "H38"),
    rule(52, "no grouping depends on them", "H25"),
    rule(
        53,
        "the latest OBR before them",
        "H26",
        READ + "test_order_concept_and_sub_id_tell_results_apart",
        "unit/screening/test_specimens.py::test_two_orders_of_two_specimens_are_never_mixed",
    ),
    rule(
        54,
        "and `\\C…\\ \\M…\\` as ISO 2022",
        "H32",
        "H33",
        ESCAPES + "test_unknown_or_unterminated_escapes_stay_as_written",
        CHARSETS + "test_escapes_that_switch_the_set_are_read_whatever_the_message_says",
    ),
    rule(55, "so", "H34"),
    rule(
        56,
        "table 0211: ISO 8859, windows-125x, UTF-8, ISO 2022 with several sets; BOM; declared but wrong",
        "H22",
        "H23",
        "H24",
        "M27",
        "M29",
        "M34",
        CHARSETS + "test_a_name_is_read_in_the_set_that_is_stated",
        CHARSETS + "test_a_japanese_name_in_iso_2022_keeps_its_letters_whatever_their_bytes",
    ),
    rule(
        57,
        "kept with their precision",
        "C47",
        "C48",
        "C49",
        "C50",
        TIMES + "test_a_time_keeps_its_precision_and_takes_the_zone_of_the_site",
    ),
    rule(58, "the text is kept with the number", "C33", "C34", "C35", "C36", "C42"),
    rule(
        59,
        "ruling C4",
        "C28",
        "C30",
        "C31",
        READ + "test_a_status_letter_decides",
    ),
    rule(
        60,
        "by trigger",
        "C21",
        "C24",
        READ + "test_a_trigger_event_says_what_happened",
    ),
    rule(
        61,
        "the site's rule chooses",
        "C01",
        "C02",
        "C03",
        "C04",
    ),
)

OPERATING = (
    rule(
        62,
        "`/metrics`; by sender where `senders` names them, so that no text of a message becomes a label",
        RECEIVER + "test_every_figure_of_rule_62_is_there",
        RECEIVER + "test_warnings_of_the_character_set_are_counted_when_a_message_is_read",
    ),
    rule(
        63,
        "at level info, or debug by `message_log`; fields of a plain shape alone, and MSH-10 only by `log_control_ids`: "
        "some senders build it of the patient's number; `inbox_id` leads to it",
        RECEIVER + "test_a_line_a_message_tells_header_size_code_and_time",
        RECEIVER + "test_a_control_id_is_told_only_where_the_source_says_that_it_may_be",
        RECEIVER + "test_no_line_tells_what_may_be_a_patients",
    ),
    rule(
        64,
        "an alarm in `/healthz` stands while its cause does",
        RECEIVER + "test_the_alarm_stands_while_the_message_waits_and_goes_when_a_person_releases_it",
    ),
    rule(
        65,
        "everything is kept, errors too; deleting after a term is not built",
        STORED + "test_the_bytes_come_back_as_they_came",
    ),
    rule(
        66,
        "address, profile, limits and contact belong to the people of a site",
        later="a sheet of paper, not the receiver's conduct",
    ),
)

SECTIONS = (
    ("Framing and transport", FRAMING),
    ("When to acknowledge, and with what", ANSWERING),
    ("What the answer contains", CONTENTS),
    ("Duplicates, order, batches", REPEATING),
    ("Reading", READING),
    ("Operating", OPERATING),
)
RULES = tuple(one for _, rules in SECTIONS for one in rules)
