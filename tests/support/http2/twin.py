"""The same words said to our end of a connection and to the library `h2`'s, and their verdicts."""

import re
from typing import Final, NamedTuple, TypeAlias

from h2.config import H2Configuration
from h2.connection import ConnectionState, H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings
from http2.ends import ClientEnd, End, ServerEnd
from http2.field_writer import ANSWER, CALL, END
from http2.frame_writer import read_frames

from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.http2.framing.codes import RST_STREAM, ErrorCode

BOUNDS: Final = Bounds(streams=4, header_bytes=2000, window=70_000, connection_window=70_000)


class Order(NamedTuple):
    """Something that both ends are told to do: `answer`, `reset` or `ask`, with a stream."""

    what: str
    stream: int


Step: TypeAlias = bytes | Order


class Verdicts(NamedTuple):
    """What the two ends say to the first frame that one of them calls a fault.

    Each is the empty string for no fault, or `stream: ` or `connection: ` and words.
    """

    ours: str = ""
    theirs: str = ""

    @property
    def agree(self) -> bool:
        """Whether both say that nothing is wrong, or say whose fault it is."""
        return self.ours.partition(":")[0] == self.theirs.partition(":")[0]


class Difference(NamedTuple):
    """Two verdicts that differ, as patterns; `rule` is RFC 9113's where no other is named."""

    name: str
    rule: str
    ours: str
    theirs: str
    example: list[Step]
    is_client: bool = False

    def covers(self, verdicts: Verdicts) -> bool:
        """Whether it is this difference."""
        return all(
            re.fullmatch(pattern, said, re.DOTALL)
            for pattern, said in ((self.ours, verdicts.ours), (self.theirs, verdicts.theirs))
        )


class Twin:
    """One end of a connection twice over: ours, and `h2`'s with the same settings."""

    def __init__(self, ours: End, *, is_client: bool, table: int = 4096) -> None:
        self.ours = ours
        self._is_client = is_client
        self._theirs = H2Connection(H2Configuration(client_side=is_client, header_encoding=None))
        self._theirs.local_settings = Settings(
            client=is_client,
            initial_values={
                SettingCodes.HEADER_TABLE_SIZE: table,
                SettingCodes.ENABLE_PUSH: 0,
                SettingCodes.MAX_CONCURRENT_STREAMS: BOUNDS.streams,
                SettingCodes.INITIAL_WINDOW_SIZE: BOUNDS.window,
                SettingCodes.MAX_HEADER_LIST_SIZE: BOUNDS.header_bytes,
            },
        )
        self._theirs.decoder.max_allowed_table_size = table
        self._theirs.decoder.max_header_list_size = BOUNDS.header_bytes
        self._theirs.initiate_connection()
        self._theirs.increment_flow_control_window(BOUNDS.connection_window - 65_535)
        self._theirs.data_to_send()

    @property
    def is_over(self) -> bool:
        """Whether `h2` takes and sends nothing more: it closes where a goodbye is said to it."""
        return self._theirs.state_machine.state is ConnectionState.CLOSED

    def takes(self, step: Step) -> Verdicts:
        """Have both take one step, and return what they say to it."""
        if isinstance(step, Order):
            self._do(step)
            return Verdicts()
        return Verdicts(self._our_verdict(step), self._their_verdict(step))

    def _our_verdict(self, data: bytes) -> str:
        heard, malformed = self.ours.heard, self.ours.reader.words
        before = len(heard.reports)
        malformed.clear()
        for sent in self.ours.takes(data):
            if sent.kind == RST_STREAM and sent.number:
                resets = [each[3] for each in heard.reports[before:] if each[0] == "reset"]
                words = "".join(malformed or resets)
                return f"stream: {ErrorCode(sent.number).name} {words}".rstrip()
        failed = [each for each in heard.reports[before:] if each[0] == "failed"]
        return f"connection: {failed[0][1].name} {failed[0][2]}" if failed else ""

    def _their_verdict(self, data: bytes) -> str:
        try:
            for event in self._theirs.receive_data(data):
                if isinstance(event, DataReceived) and event.flow_controlled_length:
                    self._theirs.acknowledge_received_data(
                        event.flow_controlled_length, event.stream_id
                    )
        except ProtocolError as error:
            return f"connection: {type(error).__name__} {error}"
        for sent in read_frames(self._theirs.data_to_send()):
            if sent.kind == RST_STREAM and sent.number:
                return f"stream: {ErrorCodes(sent.number).name}"
        return ""

    def _do(self, order: Order) -> None:
        connection, theirs = self.ours.connection, self._theirs
        if (
            order.what == "ask"
            and isinstance(self.ours, ClientEnd)
            and self.ours.connection.has_room
        ):
            number = self.ours.ask().number
            theirs.send_headers(number, [*CALL], end_stream=True)
        stream = connection.streams.get(order.stream)
        if stream is None:
            return
        if order.what == "reset":
            connection.reset(stream, ErrorCode.CANCEL)
            theirs.reset_stream(stream.number, ErrorCodes.CANCEL)
        elif isinstance(self.ours, ServerEnd):
            had_ended = stream.has_ended
            self.ours.answer(stream)
            theirs.send_headers(stream.number, [*ANSWER])
            theirs.send_headers(stream.number, [*END], end_stream=True)
            if not had_ended:
                theirs.reset_stream(stream.number, ErrorCodes.NO_ERROR)
        self.ours.sends()
        theirs.data_to_send()


def server_twin(*, table: int = 4096) -> Twin:
    """Return servers that have heard nothing yet."""
    return Twin(ServerEnd(BOUNDS, hello=False), is_client=False, table=table)


def client_twin() -> Twin:
    """Return clients that have asked nothing yet."""
    return Twin(ClientEnd(BOUNDS, asks=0, greeting=False), is_client=True)


def first_fault(twin: Twin, steps: list[Step]) -> Verdicts:
    """Return what the two ends say to the first step that one of them calls a fault."""
    for step in steps:
        verdicts = twin.takes(step)
        if verdicts.ours or verdicts.theirs or twin.is_over:
            return verdicts
    return Verdicts()
