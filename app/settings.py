"""Settings: defaults, then a TOML file, then the environment; an unknown name anywhere is an error."""

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from chain.finality import FinalityRule
from registry.domain.errors import InvalidInput

PREFIX = "LOAN_REGISTRY_"
CONFIG_VARIABLE = f"{PREFIX}CONFIG"
DEFAULT_CONFIG = "loan-registry.toml"
SUPERVISED = f"{PREFIX}SUPERVISED"  # the process id of the supervisor that started this process
# Read by other parts of the program or by tests, not settings.
_OTHER_VARIABLES = {CONFIG_VARIABLE, SUPERVISED, f"{PREFIX}FAILPOINT"}


@dataclass(eq=False)
class SettingsInvalid(InvalidInput):
    """A setting is unknown or has a value that is not allowed."""

    problems: tuple[str, ...]
    code: ClassVar[str] = "SETTINGS_INVALID"

    def __str__(self) -> str:
        return "The settings are not usable: " + "; ".join(self.problems) + "."


class Settings(BaseSettings):
    """Everything an operator can set; each name is read from `LOAN_REGISTRY_<NAME>` and from the TOML file."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    home: Path = Field(Path("var"), description="where the registry keeps its files")
    database_url: str | None = Field(None, description="SQLAlchemy URL; SQLite in the home by default")
    rpc_url: str | None = Field(None, description="JSON-RPC URL of a node; the devnet of the home by default")
    tools: Path = Field(Path("hardhat-free-devnet"), description="where the devnet's npm packages are installed")
    finality: str = Field("depth 12", description="when a block is final: immediate, depth N or finalized")
    model_path: Path | None = Field(None, description="scoring model; the shipped one by default")
    policy_path: Path | None = Field(None, description="decision policy; the shipped one by default")
    host: str = Field("127.0.0.1", description="address the API listens on")
    port: int = Field(8000, ge=0, le=65535, description="port of the API; 0 lets the system choose")
    log_format: Literal["pretty", "json"] = Field("pretty", description="how logs are written, to standard error")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="the least grave log written")
    relay_records: int = Field(400, ge=1, le=1000, description="records in one transaction")
    index_poll_seconds: float = Field(0.5, gt=0, le=60, description="how often the indexer asks for new blocks")
    query_depth_max: int = Field(12, ge=1, description="deepest nesting of a GraphQL query")
    query_aliases_max: int = Field(30, ge=1, description="aliases in a GraphQL query")
    query_tokens_max: int = Field(2000, ge=10, description="tokens in a GraphQL query")
    request_bytes_max: int = Field(1_000_000, ge=1_000, description="bytes in the body of a request")

    @field_validator("finality")
    @classmethod
    def _known_rule(cls, text: str) -> str:
        try:
            return str(FinalityRule.parse(text))
        except InvalidInput as refused:
            raise ValueError(str(refused)) from None

    @field_validator("database_url")
    @classmethod
    def _database(cls, text: str | None) -> str | None:
        try:
            if text is not None:
                make_url(text).get_dialect()
        except (ArgumentError, ImportError):
            raise ValueError("it is not a URL such as postgresql+psycopg://host/database") from None
        return text

    @field_validator("rpc_url")
    @classmethod
    def _node(cls, text: str | None) -> str | None:
        if text is not None and re.fullmatch(r"https?://[^/\s]+\S*", text) is None:
            raise ValueError("it is not a URL such as http://127.0.0.1:8545")
        return text

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        given = os.environ.get(CONFIG_VARIABLE)
        file = Path(given) if given else Path(DEFAULT_CONFIG)
        if given and not file.is_file():
            raise SettingsInvalid((f"{CONFIG_VARIABLE} names {given}, which is not a file",))
        try:
            return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=file)
        except (ValueError, OSError) as fault:
            raise SettingsInvalid((f"{file} is not a TOML file that can be read ({fault})",)) from None

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.home / 'registry.sqlite3'}"

    @property
    def finality_rule(self) -> FinalityRule:
        return FinalityRule.parse(self.finality)

    @property
    def keys(self) -> Path:
        """The folder of signing keys and of the master key; it belongs in no database backup."""
        return self.home / "keys"

    @property
    def devnet_home(self) -> Path:
        return self.home / "devnet"


def load_settings(**given: Any) -> Settings:
    """The settings in force, or `SettingsInvalid` with every problem named."""
    problems = _unknown_variables(os.environ)
    if problems:
        raise SettingsInvalid(problems)
    try:
        return Settings(**given)
    except ValidationError as invalid:
        raise SettingsInvalid(tuple(map(_problem, invalid.errors()))) from None


def origins(settings: Settings, options: Collection[str] = ()) -> dict[str, tuple[str, str]]:
    """Each setting's value, without secrets, and where it comes from; `options` were given before the command."""
    shown: dict[str, tuple[str, str]] = {}
    for name in Settings.model_fields:
        if name in options:
            origin = "command line"
        elif f"{PREFIX}{name.upper()}" in {key.upper() for key in os.environ}:
            origin = "environment"
        elif name in settings.model_fields_set:
            origin = os.environ.get(CONFIG_VARIABLE) or DEFAULT_CONFIG
        else:
            origin = "default"
        shown[name] = (_shown(name, getattr(settings, name)), origin)
    return shown


def _problem(error: ErrorDetails) -> str:
    """What is wrong with a setting; its value is not repeated, as it may be a secret."""
    name = ".".join(map(str, error["loc"]))
    return (
        f"{name} is not a setting"
        if error["type"] == "extra_forbidden"
        else f"{name}: {error['msg'].removeprefix('Value error, ')}"
    )


def _shown(name: str, value: object) -> str:
    """A value as it may be shown: providers of nodes and databases put keys and passwords into their URLs."""
    if value is None or not name.endswith("_url"):
        return str(value)
    url = make_url(str(value))
    if name == "database_url":
        return url.render_as_string(hide_password=True)
    port = f":{url.port}" if url.port else ""
    hidden = "/***" if url.username or url.database or url.query else ""
    return f"{url.drivername}://{url.host}{port}{hidden}"


def _unknown_variables(environment: Mapping[str, str]) -> tuple[str, ...]:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | _OTHER_VARIABLES
    return tuple(
        f"{name} is not a setting"
        for name in sorted(environment)
        if name.upper().startswith(PREFIX) and name.upper() not in known
    )
