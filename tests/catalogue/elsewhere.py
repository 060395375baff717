"""What no message on a socket can hold: polled FHIR servers, and the EDCs, mail servers and webhooks we send to. Each row names its test."""

from tests.catalogue.model import Row, row

FAULTS = "tests/unit/sources/test_fhir_faults.py::"
POLLER = "tests/unit/sources/test_fhir_poller.py::"
STRICT = "tests/unit/fhir/test_strict.py::"
TOKEN = "tests/unit/pipeline/test_authorize.py::"
READ = "tests/unit/mapping/test_fhir.py::"
EDC = "tests/unit/sinks/test_edc_fhir.py::"
WAVES = "tests/unit/sinks/test_edc_waves.py::"
MAIL = "tests/unit/notifiers/test_email.py::"
HOOK = "tests/unit/notifiers/test_webhook.py::"
ODD = "tests/unit/web/test_odd_requests.py::"
ROLES = "tests/unit/web/test_roles.py::"
CLAIMED = "tests/unit/web/test_together.py::test_the_first_one_has_the_candidate_and_the_second_is_told_who"
CLEAR = "tests/shell/test_daemon.py::test_a_worklist_on_an_open_network_without_tls_is_refused"
AT_ONCE = "tests/unit/web/test_at_once.py::test_of_two_who_send_at_once_one_is_told"
OLDER = "tests/unit/web/test_decide.py::test_a_status_a_colleague_set_since_is_replaced_only_knowingly"
BEFORE = "tests/unit/web/test_decide.py::test_a_form_of_an_older_session_waits_to_be_sent_again"
FAULT = FAULTS + "test_a_fault_is_named_loses_nothing_and_passes"


def found(number: str, given: str, note: str, where: str) -> Row:
    return row(number, given, note=note, elsewhere=where)


POLLED = (
    found("F01", "200 with a login page", "the poll failed, the bookmark stays; the third in a row is an alarm", FAULTS + "test_f01_three_in_a_row_are_an_alarm"),
    found("F02", "a page with an OperationOutcome of error or warning", "what is there is used, the bookmark stays", POLLER + "test_f02_a_page_that_says_it_is_not_whole_is_used_and_the_watermark_kept"),
    found("F03", "`next` to another host, scheme, port or a look-alike", "not followed, the token goes nowhere, alarm", FAULTS + "test_f03_a_link_to_elsewhere_is_not_followed"),
    found("F04", "`next` equals itself, or a circle", "followed once, then stopped", FAULTS + "test_f04_a_link_to_itself_or_in_a_circle_is_followed_once"),
    found("F05", "more pages than 10,000", "stopped, alarm", FAULTS + "test_f05_a_search_without_end_is_stopped"),
    found("F06", "one id on two pages in two versions", "both kept, the newest stands", POLLER + "test_f06_two_versions_of_one_resource_on_two_pages_are_both_kept"),
    found("F07", "a resource changes between two pages", "found by the next round, within the overlap", POLLER + "test_f07_what_changes_between_two_pages_is_found_by_the_next_round"),
    found("F08", "`lastUpdated` missing, in the future, backwards", "the bookmark never goes beyond the server's own time", POLLER + "test_f08_a_time_in_the_future_moves_the_watermark_no_further_than_the_servers_own"),
    found("F09", "empty pages for hours", "the feed is quiet on every page, and each analyte that falls silent is an alarm", "tests/unit/web/test_pages.py::test_a_feed_is_quiet_once_it_was_not_heard_for_too_long"),
    found("F10", "401", "one new token, then an alarm", TOKEN + "test_f10_a_refused_token_is_renewed_once"),
    found("F11", "403 of a type", "an alarm, that search rests, the others go on", FAULT),
    found("F12", "404 or 410 of a resource", "deleted, where the server's own answer says so", POLLER + "test_f12_only_the_servers_own_no_says_deleted"),
    found("F13", "429 with Retry-After in seconds, as a date, absurd", "heard, an hour at most", FAULTS + "test_f13_a_servers_wish_is_heard"),
    found("F14", "5xx, timeout", "tried again, longer and longer; a server that fails with everything is left alone", FAULTS + "test_a_server_that_fails_with_everything_is_left_alone"),
    found("F15", "301, 302, 307, 308", "not followed, alarm", FAULT),
    found("F16", "a bomb of gzip or deflate, twice packed", "stopped at 32 MiB, refused", FAULT),
    found("F17", "fewer bytes than promised", "the poll failed", FAULT),
    found("F18", "a byte a second", "given up at the deadline of the whole", FAULT),
    found("F19", "nesting 100,000 deep", "refused", FAULT),
    found("F20", "a number of 5,000 digits", "the page is stored, the resource refused", FAULTS + "test_numbers_that_are_none_are_the_readers_business"),
    found("F21", "NaN, Infinity, 1e400", "as F20", STRICT + "test_what_is_no_json_of_fhir_is_refused_and_quotes_nothing"),
    found("F22", "a key twice", "that resource is not used; where it is a Patient, neither are results that refer to it", STRICT + "test_a_doubt_stays_in_its_resource"),
    found("F23", "half a surrogate, NUL", "that resource is not used", STRICT + "test_a_pair_of_surrogates_is_a_letter"),
    found("F24", "byte order mark, UTF-16", "the one passed by, the other refused", FAULTS + "test_f24_a_byte_order_mark_is_no_reason"),
    found("F25", "XML", "refused, nothing parses it", FAULT),
    found("F26", "a type nobody reads", "ignored", READ + "test_a_page_of_other_things_is_ignored"),
    found("F27", "entered-in-error, cancelled, amended, corrected", "as C28 to C30", READ + "test_status"),
    found("F28", "valueQuantity without code or system", "by the site's units, else not used", READ + "test_every_line_ends_in_one_bucket"),
    found("F29", "a number in valueString, dataAbsentReason, components", "by the same rules as an OBX; absent is missing", READ + "test_components_are_lines_and_their_panel_is_none"),
    found("F30", "effectivePeriod, Timing, a year alone", "the end, or the precision that was told", READ + "test_every_form_of_the_time"),
    found("F31", "absolute, contained, `#`, logical references", "resolved here or on the server itself, never elsewhere", POLLER + "test_f31_references_to_elsewhere_are_not_fetched"),
    found("F32", "Patient.link replaced-by, active false", "a merge, as C09 to C15", READ + "test_a_record_that_was_replaced_is_merged"),
    found("F33", "modifierExtension, implicitRules", "not read: its meaning may be another", READ + "test_a_resource_that_may_mean_otherwise_is_not_read"),
    found("F34", "the same id is another person", "held for a person where the number stays (C08); another number is another patient", "tests/shell/test_overlay.py::test_nothing_leaves_until_somebody_has_looked"),
    found("F35", "TLS for another host, expired", "closed, alarm", "tests/shell/test_polling.py::test_f35_a_server_nobody_vouches_for_is_told_nothing"),
    found("F36", "a token without an end, of ten years, of wider scope", "used for five minutes at most; the scope is an alarm", TOKEN + "test_f36_how_long_a_token_is_used_is_ours_to_say"),
    found("F37", "a clock that makes the assertion invalid", "the alarm names the clock", TOKEN + "test_f37_a_clock_that_is_wrong_is_named"),
    found("F38", "another version in the CapabilityStatement", "alarm, reading goes on", POLLER + "test_f38_a_server_that_was_updated_is_told_of"),
    found("F39", "no searchset", "refused", FAULT),
    found("F40", "HL7 v2 and FHIR deliver one result", "one fact", "tests/laws/test_two_syntaxes.py::test_told_by_both_ways_it_is_one_fact"),
)  # fmt: skip

SENT = (
    found("E01", "200 or 201", "delivered", EDC + "test_a_bundle_arrives_and_the_edc_tells_its_own_id"),
    found("E02", "412, several subjects of one number", "a dead letter; none is picked", EDC + "test_several_subjects_of_one_number_are_never_picked_from"),
    found("E03", "400, 409, 422", "a dead letter at once; other subjects go on", EDC + "test_a_no_is_a_dead_letter"),
    found("E04", "401, 403", "the door is locked: everything waits, alarm", EDC + "test_a_locked_or_moved_door_pauses_and_loses_nothing"),
    found("E05", "404, the base has moved", "as E04", EDC + "test_a_locked_or_moved_door_pauses_and_loses_nothing"),
    found("E06", "413", "split, with the same ids", WAVES + "test_a_transaction_over_the_edc_s_limit_is_split_and_keeps_its_ids"),
    found("E07", "429, 5xx, timeout", "the same again later", EDC + "test_what_may_pass_is_tried_again_and_then_arrives"),
    found("E08", "committed, then the connection drops", "sent again without a second effect", EDC + "test_commit_then_drop_has_no_second_effect"),
    found("E09", "a batch-response of mixed entries", "each entry for itself", WAVES + "test_an_entry_of_a_batch_that_is_refused_is_named_and_the_rest_comes_again"),
    found("E10", "the EDC is restored from yesterday", "found by asking it, told again", EDC + "test_an_edc_restored_from_yesterday_gets_the_subject_again"),
    found("E11", "SMTP: 4xx, 5xx, a lost reply, one recipient refused, no STARTTLS", "later; dead letter; same Message-ID; the others have theirs; nothing in clear", MAIL + "test_a_mail_is_postponed_or_refused_as_the_server_says"),
    found("E12", "webhook: 410, redirect, a private address, slow", "dead letter; refused; refused unless meant; given up in time", HOOK + "test_a_no_a_redirect_and_a_gone_receiver_are_dead_letters"),
)  # fmt: skip
WEB = (
    found("W01", "no session, for the API and for a page", "401; the sign-in page", ODD + "test_w01_without_a_session"),
    found("W02", "a role without the right", "403, on record", ROLES + "test_who_lacks_the_right_is_refused_and_who_has_it_comes_in"),
    found("W03", "an object of another site or trial", "404, as if it were not there", ROLES + "test_a_patient_of_another_site_or_trial_is_not_there"),
    found("W04", "no token of a form, a wrong one, another site's form", "403", ODD + "test_w04_a_form_of_elsewhere"),
    found("W05", "GET on a route that changes something", "405", ODD + "test_w05_reading_a_route_that_changes"),
    found("W06", "JSON that is none, NaN, a key twice", "400", ODD + "test_w06_json_that_is_none"),
    found("W07", "an unknown field, a wrong type", "422", ODD + "test_w07_json_that_says_something_else"),
    found("W08", "a body over 1 MiB", "413", ODD + "test_w08_too_large"),
    found("W09", "another Content-Type", "415", ODD + "test_w09_another_type"),
    found("W10", "headers over 16 KiB", "431", ODD + "test_w10_headers_too_large"),
    found("W11", "`../`, `%2e%2e`, NUL in the path", "404", ODD + "test_w11_a_path_that_leads_out"),
    found("W12", "an unknown Host", "421", ODD + "test_w12_another_host"),
    found("W13", "TRACE, CONNECT and other verbs", "405", ODD + "test_w13_other_verbs"),
    found("W14", "a body that drips", "408", "tests/unit/web/test_guard.py::test_a_slow_body_is_given_up"),
    found("W15", "the sixth wrong password, the sixth wrong code", "429 with the time to wait, on record", ODD + "test_w15_the_sixth_wrong_password"),
    found("W16", "a session that is over, or was ended at the hospital's sign-in", "401; the page holds what was written for a candidate, to be copied", ODD + "test_w16_a_session_that_is_over"),
    found("W17", "an older If-Match", "412", ODD + "test_w17_an_older_page"),
    found("W18", "a double click", "one act, the same answer twice", ODD + "test_w18_a_double_click"),
    found("W19", "two people take one candidate in hand", "the second is told 409, who has it and since when", CLAIMED),
    found("W20", "Content-Length and Transfer-Encoding together, bad chunks", "400, closed", ODD + "test_w20_a_length_that_is_two"),
    found("W21", "X-Forwarded-For", "not believed", ODD + "test_w21_a_proxy_nobody_named"),
    found("W22", "`' OR 1=1`, `%`, 10,000 characters", "bound, or 422", ODD + "test_w22_text_that_would_be_code"),
    found("W23", "an export without the right, or long after signing in", "403", ROLES + "test_an_export_needs_a_fresh_sign_in_and_is_none_of_an_emergency"),
    found("W24", "a bug of ours", "500 with a reference, without its trace", ODD + "test_w24_a_bug"),
    found("W25", "/metrics from another machine", "404", ODD + "test_w25_metrics_from_outside"),
    found("W26", "/healthz by anybody", "the state alone", ODD + "test_w26_health_for_anybody"),
    found("W27", "a dismissal without a reason", "422", ODD + "test_w27_a_dismissal_without_a_reason"),
    found("W28", "signing in while nothing can be written", "503 with Retry-After; nobody is in", ODD + "test_w28_signing_in_while_nothing_can_be_written"),
    found("W29", "TLS 1.0, 1.1", "the pages speak no TLS of their own; without an https proxy in front only this machine reaches them", CLEAR),
    found("W30", "a page inside a frame", "forbidden by frame-ancestors", ODD + "test_w30_inside_a_frame"),
    found("W31", "a page older than a colleague's decision or answer", "422, who decided what and when; sent again, it holds", OLDER),
    found("W32", "a form of a session before this one", "403, in the candidate's page with what was typed; sent again, it holds", BEFORE),
    found("W33", "two who decide at the same moment, in two processes", "one is stored, the other told as W31", AT_ONCE),
)  # fmt: skip
SECTIONS = (("Polled FHIR servers", POLLED), ("EDC, mail, webhook", SENT), ("Pages and JSON", WEB))
