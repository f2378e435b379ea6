// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title ILoanRegistry, the manual of the registry
/// @notice A loan on chain is two slots: its standing (who owns the claim, who services it, its status) and its head
/// (the running hash of all its records). Whoever folds a loan's records into the head holds all of them, unaltered.
///
/// Every hash is SHA-256 and begins with a byte of its own; `||` joins bytes, numbers are big-endian:
///
///   loanKey     = sha256("loan-registry/v1" || lenderId (4) || nonce (32))
///   head        = sha256(0x12 || chain id (32) || registry address (20) || loanKey (32) || commitment (32))  at first
///   head        = sha256(0x13 || head (32) || kind (1) || commitment (32))                          per later record
///   lender head = sha256(0x14 || lender head (32) || event (1) || loanKey (32))               from 32 zero bytes; event
///                 0 = the lender registered the loan, 1 = control of it left, 2 = control of it arrived
///
/// Kinds:    0 AGREEMENT, 1 DISBURSEMENT, 2 REPAYMENT, 3 REVERSAL, 4 FEE, 5 AMENDMENT, 6 RESTRUCTURE, 7 CHARGE_OFF,
///           8 RECOVERY, 9 SETTLEMENT, 10 CANCELLATION, 11 REOPENING, 12 TRANSFER, 13 DISPUTE, 14 ERASURE, 15 OTHER
/// Statuses: 0 none, 1 REGISTERED, 2 ACTIVE, 3 SETTLED, 4 CHARGED_OFF, 5 CANCELLED
///
///   REGISTERED   DISBURSEMENT -> ACTIVE, CANCELLATION -> CANCELLED
///   ACTIVE       DISBURSEMENT, REPAYMENT, REVERSAL, FEE, AMENDMENT, RESTRUCTURE; CHARGE_OFF -> CHARGED_OFF,
///                SETTLEMENT -> SETTLED, CANCELLATION -> CANCELLED
///   SETTLED      REOPENING -> ACTIVE
///   CHARGED_OFF  RECOVERY; SETTLEMENT -> SETTLED, REOPENING -> ACTIVE
///   any          DISPUTE, ERASURE, OTHER; TRANSFER only by `acceptTransfer`, AGREEMENT only by `registerLoans`
///
/// @dev Times are unix seconds. Lender ids count from 1 without gaps; 0 is nobody. There is no proxy, no overwrite and
/// no way to take a record or a loan away. Pausing stops lenders' writes and never a view. Commitments, nonces and
/// asset tags are opaque: any 32 bytes are accepted, because the contract cannot know what they commit to.
interface ILoanRegistry {
    /// @param nonce 32 random bytes; with the caller's lender id they make the loanKey, so nobody can take it first
    /// @param commitment of the agreement, the loan's first record (sequence 0)
    struct Registration {
        bytes32 nonce;
        bytes32 commitment;
    }

    /// @param loanKey the loan the record belongs to
    /// @param previousHead the head this record continues, fixed when the record was booked
    /// @param kind see the list above
    /// @param commitment to the record's fields
    struct Record {
        bytes32 loanKey;
        bytes32 previousHead;
        uint8 kind;
        bytes32 commitment;
    }

    // Loans and their records

    /// @notice A loan came into being with its agreement; `lenderId` is its controller and servicer.
    event LoanRegistered(bytes32 indexed loanKey, uint32 indexed lenderId, bytes32 nonce, bytes32 commitment);
    /// @notice A record was folded into the loan's head. Order of a loan's records is the order of these events.
    event RecordAppended(bytes32 indexed loanKey, uint8 kind, bytes32 commitment);

    /// @notice No loan has this key.
    error LoanUnknown(bytes32 loanKey);
    /// @notice The lender has already registered a loan with this nonce.
    error LoanExists(bytes32 loanKey);
    /// @notice The record does not continue the loan's history: `given` is not its head, which is `expected`.
    error RecordOutOfOrder(bytes32 loanKey, bytes32 given, bytes32 expected);
    /// @notice A record of this kind may not follow while the loan has this status; kinds above 15 never may.
    error KindNotAllowed(bytes32 loanKey, uint8 kind, uint8 status);
    /// @notice Only the servicer appends: the caller is `lenderId`, the servicer is `servicerId`.
    error NotServicer(bytes32 loanKey, uint32 lenderId, uint32 servicerId);
    /// @notice Only the controller may do this: the caller is `lenderId`, the controller is `controllerId`.
    error NotController(bytes32 loanKey, uint32 lenderId, uint32 controllerId);
    /// @notice A batch without entries; nothing would have been written.
    error EmptyBatch();

    /// @notice Register loans of the calling lender, each with its agreement. All or none.
    function registerLoans(Registration[] calldata registrations) external;

    /// @notice Append records to loans the caller services. All or none; several records of a loan may follow each other.
    /// @dev Cheapest when the records of one loan stand together: its slots are then read and written once.
    function appendRecords(Record[] calldata records) external;

    // Control

    event TransferOffered(
        bytes32 indexed loanKey,
        uint32 indexed fromLenderId,
        uint32 indexed toLenderId,
        uint32 servicerId,
        uint64 expiresAt
    );
    event TransferWithdrawn(bytes32 indexed loanKey);
    event TransferRefused(bytes32 indexed loanKey, uint32 indexed byLenderId);
    /// @notice Control passed. Follows the RecordAppended of kind TRANSFER; `servicerId` is the servicer from now on.
    event TransferAccepted(
        bytes32 indexed loanKey, uint32 indexed fromLenderId, uint32 indexed toLenderId, uint32 servicerId
    );
    event ServicerAppointed(bytes32 indexed loanKey, uint32 servicerId);

    /// @notice The loan has no open offer.
    error OfferMissing(bytes32 loanKey);
    /// @notice The offer ended, or would end, at `expiresAt`, and it is `time` now (unix seconds).
    error OfferExpired(bytes32 loanKey, uint64 expiresAt, uint64 time);
    /// @notice The offer is to `toLenderId`, and the caller is `lenderId`.
    error OfferNotForYou(bytes32 loanKey, uint32 lenderId, uint32 toLenderId);
    /// @notice The controller cannot offer a loan to itself.
    error OfferToSelf(bytes32 loanKey, uint32 lenderId);
    /// @notice The buyer, seller or servicer `lenderId` is not an admitted, unsuspended lender.
    error CounterpartyNotActive(bytes32 loanKey, uint32 lenderId);
    /// @notice The buyer saw the head `given`; it has become `expected` since. Look at the new records, then decide.
    error HistoryChanged(bytes32 loanKey, bytes32 given, bytes32 expected);

    /// @notice Offer control of a loan. A new offer replaces an open one. Possible in every status: charged-off debt is
    /// sold too, and a settled loan may move with a merger.
    /// @param servicerId who will service the loan after the transfer; 0 = the buyer
    /// @param expiresAt unix seconds; from this instant on the offer cannot be accepted
    function offerTransfer(bytes32 loanKey, uint32 toLenderId, uint32 servicerId, uint64 expiresAt) external;

    /// @notice Take back the open offer; only the controller.
    function withdrawOffer(bytes32 loanKey) external;

    /// @notice Take over control of exactly the history seen: `expectedHead` must be the head. Appends a TRANSFER record.
    /// @param commitment of the TRANSFER record
    function acceptTransfer(bytes32 loanKey, bytes32 expectedHead, bytes32 commitment) external;

    /// @notice Refuse the offer; only the lender it was made to, also after it expired.
    function refuseTransfer(bytes32 loanKey) external;

    /// @notice Make another lender, or the controller itself, the only one who may append; only the controller.
    function appointServicer(bytes32 loanKey, uint32 servicerId) external;

    // Liens

    event AssetPledged(bytes32 indexed assetTag, bytes32 indexed loanKey, uint32 lenderId);
    event AssetReleased(bytes32 indexed assetTag, bytes32 indexed loanKey);

    /// @notice The asset already secures `loanKey`. This is the one error whose first value is not the caller's loan.
    error AssetAlreadyPledged(bytes32 assetTag, bytes32 loanKey);
    error AssetNotPledged(bytes32 assetTag);

    /// @notice Pledge an asset to a loan, exclusively; only the loan's controller.
    /// @param assetTag the consortium's keyed tag of the asset, never a plain hash of its number
    function pledge(bytes32 assetTag, bytes32 loanKey) external;

    /// @notice Release an asset; only the present controller of the loan it secures. Closing a loan never releases.
    function release(bytes32 assetTag) external;

    // Lenders

    event LenderAdmitted(uint32 indexed lenderId, address indexed account);
    event AccountAdded(uint32 indexed lenderId, address indexed account);
    event AccountRemoved(uint32 indexed lenderId, address indexed account);
    event LenderSuspended(uint32 indexed lenderId);
    event LenderReinstated(uint32 indexed lenderId);

    /// @notice The account belongs to no lender.
    error NotALender(address account);
    /// @notice The lender is suspended.
    error LenderNotActive(uint32 lenderId);
    /// @notice The lender is not suspended, so there is nothing to reinstate.
    error LenderNotSuspended(uint32 lenderId);
    error LenderUnknown(uint32 lenderId);
    /// @notice The account already acts for `lenderId`.
    error AccountTaken(address account, uint32 lenderId);
    /// @notice The zero address cannot act for anybody.
    error AccountZero();

    /// @notice Admit a lender with its first account; only the administrator, as for everything below.
    function admitLender(address account) external returns (uint32 lenderId);
    function addAccount(uint32 lenderId, address account) external;
    /// @notice The account acts for its lender no longer; it may be the last one.
    function removeAccount(address account) external;
    /// @notice Stop all writes of a lender, and the acceptance of what it offered. Its loans stay; a controller may
    /// still take a loan's servicing from it.
    function suspendLender(uint32 lenderId) external;
    function reinstateLender(uint32 lenderId) external;

    // Administration

    event Paused();
    event Unpaused();
    /// @notice `account` may now accept; the zero address means that the offer was taken back.
    event AdministrationOffered(address indexed account);
    event AdministrationAccepted(address indexed account);

    error RegistryPaused();
    error RegistryNotPaused();
    error NotAdministrator(address account);
    error NotPendingAdministrator(address account);

    /// @notice Stop lenders' writes until `unpause`. Views and administration go on.
    function pause() external;
    function unpause() external;
    /// @notice First step of a hand-over; the zero address takes an open offer back.
    function offerAdministration(address account) external;
    /// @notice Second step, by the account offered.
    function acceptAdministration() external;

    // Views

    /// @notice All zero when the loan is unknown.
    function standing(bytes32 loanKey) external view returns (uint32 controllerId, uint32 servicerId, uint8 status);
    /// @notice Zero when the loan is unknown.
    function head(bytes32 loanKey) external view returns (bytes32);
    /// @notice The open offer, expired or not; `toLenderId` is 0 when there is none.
    function offer(bytes32 loanKey) external view returns (uint32 toLenderId, uint32 servicerId, uint64 expiresAt);
    /// @notice The loan the asset secures, or zero.
    function lien(bytes32 assetTag) external view returns (bytes32 loanKey);
    /// @notice The lender the account acts for, or 0.
    function lenderOf(address account) external view returns (uint32 lenderId);
    /// @notice Whether the lender is admitted and not suspended.
    function lenderActive(uint32 lenderId) external view returns (bool);
    /// @notice The running hash of the lender's registrations and transfers: folds to completeness of its population.
    function lenderHead(uint32 lenderId) external view returns (bytes32);
    /// @notice How many lenders were ever admitted; also the highest lender id.
    function lenderCount() external view returns (uint32);
    function administrator() external view returns (address);
    function pendingAdministrator() external view returns (address);
    function paused() external view returns (bool);
}
