"""AWS::Cognito: user pools."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from reconciler.pipeline.aws.rules import (
    As,
    AwsType,
    Chosen,
    Contrary,
    Implied,
    Inside,
    Into,
    Nested,
    Pairs,
    Rules,
    names,
)

#: The attributes that every pool has; others are custom ones.
_STANDARD = re.compile(
    "address|birthdate|email|family_name|gender|given_name|locale|middle_name|name|nickname|phone_number|picture"
    "|preferred_username|profile|website|zoneinfo"
)
_TEXT = {"MinLength": "0", "MaxLength": "2048"}


def _attribute(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """An attribute of the pool's schema with the limits that Cognito gives it.

    To Terraform one that doesn't say them is another attribute, and a pool's attributes can't be changed.
    """
    found = {"Mutable": True, **value}
    if value.get("AttributeDataType") == "Number":
        return {"NumberAttributeConstraints": {}, **found}
    if value.get("AttributeDataType") != "String":
        return found
    name = str(value.get("Name"))
    limits = {"MinLength": "10", "MaxLength": "10"} if name == "birthdate" else _TEXT
    return {"StringAttributeConstraints": limits if _STANDARD.fullmatch(name) else {}, **found}


def _pool(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """A pool, the factors of whose sign-in Terraform turns on wherever they are configured."""
    given = value.get("EnabledMfas")
    factors = given if isinstance(given, list | tuple) else ()
    asked = bool(factors) and value.get("MfaConfiguration", "OFF") != "OFF"
    if asked and "SmsConfiguration" in value and "SMS_MFA" not in factors:
        raise Contrary("EnabledMfas", "without SMS_MFA beside an SmsConfiguration isn't covered by our mapping")
    for name in ("EmailAuthenticationMessage", "EmailAuthenticationSubject"):
        if name in value and "EMAIL_OTP" not in factors:
            raise Contrary(name, "without EMAIL_OTP among EnabledMfas isn't covered by our mapping")
    return value


_FUNCTION = names("LambdaArn LambdaVersion")
_LAMBDA: Rules = {
    **names(
        "CreateAuthChallenge CustomMessage DefineAuthChallenge PostAuthentication PostConfirmation PreAuthentication "
        "PreSignUp PreTokenGeneration UserMigration VerifyAuthChallengeResponse",
        KMSKeyID="kms_key_id",
    ),
    "CustomEmailSender": Nested("custom_email_sender", _FUNCTION, needs=("LambdaArn", "LambdaVersion")),
    "CustomSMSSender": Nested("custom_sms_sender", _FUNCTION, needs=("LambdaArn", "LambdaVersion")),
    "PreTokenGenerationConfig": Nested("pre_token_generation_config", _FUNCTION, needs=("LambdaArn", "LambdaVersion")),
}
_POLICIES: Rules = {
    "PasswordPolicy": Nested(
        "password_policy",
        names(
            "MinimumLength PasswordHistorySize RequireLowercase RequireNumbers RequireSymbols RequireUppercase "
            "TemporaryPasswordValidityDays"
        ),
    ),
    "SignInPolicy": Nested("sign_in_policy", names("AllowedFirstAuthFactors")),
}
_SCHEMA: Rules = {
    **names("AttributeDataType DeveloperOnlyAttribute Mutable Name Required"),
    "NumberAttributeConstraints": Nested("number_attribute_constraints", names("MaxValue MinValue")),
    "StringAttributeConstraints": Nested("string_attribute_constraints", names("MaxLength MinLength")),
}
_FACTORS: Rules = {
    "EMAIL_OTP": Into("email_mfa_configuration", Inside({})),
    "SMS_MFA": Implied(),
    "SOFTWARE_TOKEN_MFA": Into("software_token_mfa_configuration", Inside({}, {"enabled": True})),
}

TYPES: Mapping[str, AwsType] = {
    "AWS::Cognito::UserPool": AwsType(
        "aws_cognito_user_pool",
        {
            **names(
                "AliasAttributes AutoVerifiedAttributes DeletionProtection EmailVerificationMessage "
                "EmailVerificationSubject MfaConfiguration SmsAuthenticationMessage SmsVerificationMessage "
                "UserPoolTier UsernameAttributes",
                UserPoolName="name",
            ),
            "AccountRecoverySetting": Nested(
                "account_recovery_setting",
                {
                    "RecoveryMechanisms": Nested(
                        "recovery_mechanism", names("Name Priority"), needs=("Name", "Priority")
                    )
                },
            ),
            "AdminCreateUserConfig": Nested(
                "admin_create_user_config",
                {
                    **names("AllowAdminCreateUserOnly"),
                    "InviteMessageTemplate": Nested(
                        "invite_message_template", names("EmailMessage EmailSubject", SMSMessage="sms_message")
                    ),
                },
            ),
            "DeviceConfiguration": Nested(
                "device_configuration", names("ChallengeRequiredOnNewDevice DeviceOnlyRememberedOnUserPrompt")
            ),
            "EmailAuthenticationMessage": Into("email_mfa_configuration", As("message")),
            "EmailAuthenticationSubject": Into("email_mfa_configuration", As("subject")),
            "EmailConfiguration": Nested(
                "email_configuration",
                names("ConfigurationSet EmailSendingAccount ReplyToEmailAddress SourceArn", From="from_email_address"),
            ),
            "EnabledMfas": Chosen(_FACTORS),
            "LambdaConfig": Nested("lambda_config", _LAMBDA),
            "Policies": Inside(_POLICIES),
            "Schema": Nested("schema", _SCHEMA, read=_attribute, needs=("AttributeDataType", "Name")),
            "SmsConfiguration": Nested(
                "sms_configuration",
                names("ExternalId SnsCallerArn SnsRegion"),
                needs=("ExternalId", "SnsCallerArn"),
            ),
            "UserAttributeUpdateSettings": Nested(
                "user_attribute_update_settings", names("AttributesRequireVerificationBeforeUpdate")
            ),
            "UserPoolAddOns": Nested(
                "user_pool_add_ons",
                {
                    **names("AdvancedSecurityMode"),
                    "AdvancedSecurityAdditionalFlows": Nested(
                        "advanced_security_additional_flows", names("CustomAuthMode")
                    ),
                },
                needs=("AdvancedSecurityMode",),
            ),
            "UserPoolTags": Pairs(),
            "UsernameConfiguration": Nested("username_configuration", names("CaseSensitive")),
            "VerificationMessageTemplate": Nested(
                "verification_message_template",
                names("DefaultEmailOption EmailMessage EmailMessageByLink EmailSubject EmailSubjectByLink SmsMessage"),
            ),
            "WebAuthnRelyingPartyID": Into("web_authn_configuration", As("relying_party_id")),
            "WebAuthnUserVerification": Into("web_authn_configuration", As("user_verification")),
        },
        attributes={"Arn": "arn", "ProviderName": "endpoint", "UserPoolId": "id"},
        read=_pool,
        needs=("UserPoolName",),
    ),
}
