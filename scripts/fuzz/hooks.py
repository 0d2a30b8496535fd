"""What schemathesis must know about this API beyond openapi.json; see scripts/fuzz.mjs."""

import schemathesis
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import positive_data_acceptance

VISIBLE = st.sampled_from("aZ0.-é中🦊")


def around(visible, others, most):
    """A text with one visible character among others."""
    return st.builds(
        lambda before, character, after: (before + character + after)[:most],
        st.text(others, max_size=3),
        visible,
        st.text(others, max_size=most - 4),
    )


schemathesis.openapi.format(
    "visible-text",
    around(VISIBLE, st.characters(exclude_categories=["Cs"]), 200),
)
schemathesis.openapi.format(
    "visible-line",
    around(VISIBLE, st.characters(categories=["Lu", "Ll", "Nd", "P", "S", "Zs", "Cf"]), 64),
)


# A cursor of the right form that the list did not issue; a text within its limit, but with escapes not
# within that of the body.
REFUSED_VALID_DATA = ["INVALID_CURSOR", "BODY_TOO_LARGE"]


@schemathesis.check
def valid_data_acceptance(ctx, response, case):
    """Like the check that it calls, but for what no schema can say."""
    if response.status_code in (400, 413) and response.json()["code"] in REFUSED_VALID_DATA:
        return None
    return positive_data_acceptance(ctx, response, case)
