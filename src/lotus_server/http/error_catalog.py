"""Every code that a problem document can carry, with what it means; `type` of a problem leads to `/docs/errors`."""

from html import escape
from typing import Final

REQUEST_CODES: Final[dict[str, str]] = {
    "validation_error": "Several fields are wrong; `validation_errors` lists all of them, each with a code of its own.",
    "malformed_json": "The body is not JSON, not UTF-8, or nested too deeply. NaN and Infinity are not JSON.",
    "malformed_body": "The body is JSON, but not the object or list that this call takes.",
    "malformed_gzip": "The body is announced as gzip but is not, or ends too early.",
    "incomplete_body": "The connection ended before the body was complete.",
    "body_too_large": "The body has more than 10 MB, packed or unpacked.",
    "too_large": "More than a limit of this call, such as 10,000 events in one request.",
    "authentication_failed": "No API key, or one that is unknown, revoked or expired.",
    "permission_denied": "The API key's scope does not cover this call.",
    "not_found": "There is nothing at this path.",
    "method_not_allowed": "The path does not take this method.",
    "http_error": "The request could not be served as HTTP.",
    "conflict": "The thing exists already, or its state does not allow this.",
    "logo_unreadable": "The logo is not a picture that documents can show.",
    "unavailable": "A part of the system cannot answer now. Nothing was acknowledged: try again.",
    "custom_metric_failed": "The query of a custom metric fails, takes too long, or gives no exact number.",
    "overloaded": "More events are waiting for the disk than fit. Nothing was acknowledged: try again a little later.",
    "internal_error": "The server failed. The request's id is in the answer and in the log.",
    "invalid_idempotency_key": "The Idempotency-Key has more than 255 characters.",
    "idempotency_key_reused": "The Idempotency-Key was used for a request with another body or path.",
    "idempotency_key_exists": "Another request with this Idempotency-Key was answered a moment ago.",
    "events_rejected": "None of the events of the request was accepted; `failed_events` has the reasons.",
    "event_conflict": "Every event has the id of an earlier event with other content. The earlier ones stand.",
}

STATE_CODES: Final[dict[str, str]] = {
    "customer_not_found": "There is no such customer in this organization.",
    "event_not_found": "There is no event with this idempotency_id in this organization.",
    "metric_not_found": "There is no such metric in this organization.",
    "feature_not_found": "There is no such feature in this organization.",
    "plan_not_found": "There is no such plan in this organization.",
    "plan_version_not_found": "There is no such plan version in this organization.",
    "addon_not_found": "There is no such add-on in this organization.",
    "subscription_not_found": "There is no such subscription in this organization, or none that is active.",
    "addon_attached": "The subscription has this recurring add-on already.",
    "charge_not_found": "The subscription's plan version has no such recurring charge.",
    "component_not_found": "The subscription's plan version does not sell this metric in this way.",
    "invoice_not_found": "There is no such invoice in this organization.",
    "coupon_not_found": "There is no such coupon in this organization.",
    "coupon_exists": "There is a coupon with this id.",
    "coupon_not_redeemable": "The coupon is archived, over, used up, or was redeemed by this customer.",
    "discount_not_found": "The customer has no such discount.",
    "discount_exists": "There is a discount with this id.",
    "credit_note_not_found": "There is no such credit note in this organization.",
    "e_invoice_incomplete": "An e-invoice needs what is not known; `validation_errors` names the fields to fill in.",
    "credit_note_exists": "There is a credit note with this id or number.",
    "credit_not_found": "There is no such credit in this organization.",
    "api_key_not_found": "There is no such API key in this organization.",
    "organization_exists": "There is an organization with this id.",
    "api_key_exists": "This API key exists.",
    "customer_exists": "There is a customer with this id.",
    "metric_exists": "There is a metric with this id.",
    "metric_name_exists": "There is a metric with this name that is not archived.",
    "feature_exists": "There is a feature with this id.",
    "feature_name_exists": "There is a feature with this name that is not archived.",
    "plan_exists": "There is a plan or an add-on with this id.",
    "plan_version_exists": "There is a plan version with this id or number.",
    "pricing_unit_exists": "There is a pricing unit with this code.",
    "subscription_exists": "There is a subscription with this id.",
    "invoice_exists": "This was invoiced before; nothing is invoiced twice.",
    "invoice_number_exists": "This invoice number was given before.",
    "credit_posting_exists": "This credit was posted before; nothing is posted twice.",
    "metric_in_use": "A plan that is sold uses the metric, so it cannot be archived.",
    "metric_sold": "Plan versions use the metric as it is defined, so only a further version can be defined otherwise.",
    "metric_replaced": "A further version has taken the metric's place; only the newest version can get another.",
    "same_definition": "The metric is defined like this already.",
    "invalid_state": "The thing is in a state that does not allow this, such as a subscription that has ended.",
    "not_a_sandbox": "Only a sandbox organization has a clock that can be moved.",
    "data_directory_in_use": "Another server is running on the data directory.",
    "port_in_use": "The server cannot listen on this address.",
}

FIELD_CODES: Final[dict[str, str]] = {
    "required": "The field must be given.",
    "invalid": "The value is not of the form that the field takes.",
    "invalid_choice": "The value is not one of those that the field takes.",
    "invalid_number": "The value is not a number, or a text that spells one.",
    "invalid_time": "The value is not a date or an RFC 3339 time.",
    "out_of_range": "The number is not finite, too large, or has more than 30 digits on a side of the decimal point.",
    "too_precise": "The number has more decimal places than are kept.",
    "too_long": "The text is too long.",
    "too_many": "The list has more entries than the limit.",
    "negative": "The number must not be below zero.",
    "not_positive": "The number must be above zero.",
    "below_minimum": "The number is below another one that bounds it.",
    "unknown_currency": "The code is not one of ISO 4217.",
    "unknown_timezone": "The name is not one of the IANA time zone database.",
    "unknown_locale": "The name is not that of a language and a country, such as en_US.",
    "too_fine": "The amount has more decimal places than its currency.",
    "more_than_is_left": "More is to be credited than is left of the line.",
    "unknown_metric": "There is no metric with this id, and none that is not archived with this name.",
    "unknown_charge": "The plan version has no recurring charge with this id or name.",
    "prepayment_cant_determine_units": "Units are prepaid, and neither the plan nor the request says how many.",
    "unknown_feature": "There is no feature with this id, and none that is not archived with this name.",
    "unknown_customer": "There is no customer with this id.",
    "unknown_pricing_unit": "There is no pricing unit with this code.",
    "unknown_version": "The plan has no version with this id.",
    "metric_archived": "The metric is archived; nothing new can be priced by it.",
    "feature_archived": "The feature is archived; no new version can have it.",
    "unsupported": "This is known but not served yet; it is refused rather than ignored.",
    "ambiguous": "What was given can be read in two ways, or says two different things.",
    "duplicate": "The value stands there twice.",
    "exactly_one": "Exactly one of several fields must be given.",
    "not_for_type": "The field has no meaning for this type of metric.",
    "not_for_metric": "The price cannot be applied to what this metric measures.",
    "not_for_model": "The field has no meaning for this price model.",
    "not_for_windows": "The field has no meaning for a price per window.",
    "not_contiguous": "The tiers leave a gap or overlap.",
    "not_ascending": "A tier must end above the one before it.",
    "last_tier_not_open": "The last tier must have no end.",
    "end_before_start": "The end lies before the start.",
    "overlapping_subscription": "The customer has this plan with equal filters in this time already.",
    "plan_archived": "The plan is archived and no longer sold.",
    "same_plan": "The subscription has this version of the plan already.",
    "other_currency": "The version is sold in another currency than the subscription's.",
    "version_not_on_sale": "The version is not on sale, or not yet.",
    "not_for_customer": "The version is a custom one for other customers.",
    "not_for_custom": "A version for some customers takes the place of nobody's.",
    "circular": "The versions would replace each other for ever.",
    "no_active_version": "The plan has no version that is sold now.",
    "unchangeable": "The field cannot be changed once the thing exists.",
    "bill_now_needs_revoke": "Billing now needs access to be revoked.",
    "clock_backwards": "A sandbox's clock only moves forward.",
}

ALL_CODES: Final = {**REQUEST_CODES, **STATE_CODES, **FIELD_CODES}

_SECTIONS: Final = (
    ("Requests", REQUEST_CODES),
    ("Things and their state", STATE_CODES),
    ("Fields", FIELD_CODES),
)


def page() -> str:
    """Return the catalog as an HTML page in which every code can be linked to."""
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'><meta name='viewport' content='width=device-width'>",
        "<title>Lotus: error codes</title><h1>Error codes</h1>",
        "<p>Every error is an RFC 9457 problem document; its <code>title</code> is one of these codes.</p>",
    ]
    for title, codes in _SECTIONS:
        rows = "".join(
            f"<dt id='{code}'><code>{code}</code></dt><dd>{escape(text)}</dd>" for code, text in codes.items()
        )
        parts.append(f"<h2>{title}</h2><dl>{rows}</dl>")
    return "".join(parts)
