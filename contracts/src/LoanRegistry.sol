// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ILoanRegistry} from "./interfaces/ILoanRegistry.sol";
import {Heads} from "./libraries/Heads.sol";
import {Lifecycle} from "./libraries/Lifecycle.sol";

/// @title LoanRegistry; ILoanRegistry is its manual.
/// @dev No immutables, no constructor arguments: the runtime code, and so the code hash that evidence pins, is the same
/// in every deployment.
contract LoanRegistry is ILoanRegistry {
    /// Two slots: standing in the first (controller in bits 0–31, servicer 32–63, status 64–71), head in the second.
    struct Loan {
        uint32 controllerId;
        uint32 servicerId;
        uint8 status;
        bytes32 head;
    }

    struct Offer {
        uint32 toLenderId;
        uint32 servicerId;
        uint64 expiresAt;
    }

    struct Lender {
        bool active;
        bytes32 head;
    }

    uint8 private constant REGISTERED_BY = 0;
    uint8 private constant CONTROL_LEFT = 1;
    uint8 private constant CONTROL_ARRIVED = 2;

    /// Slot 0, on which storage proofs rely: a loan stands at keccak256(loanKey || 0) and the slot after.
    mapping(bytes32 loanKey => Loan) private _loans;
    mapping(bytes32 loanKey => Offer) private _offers;
    mapping(uint32 lenderId => Lender) private _lenders;

    mapping(bytes32 assetTag => bytes32 loanKey) public lien;
    mapping(address account => uint32 lenderId) public lenderOf;

    address public administrator;
    bool public paused;
    uint32 public lenderCount;
    address public pendingAdministrator;

    constructor() {
        administrator = msg.sender;
        emit AdministrationAccepted(msg.sender);
    }

    modifier onlyAdministrator() {
        if (msg.sender != administrator) revert NotAdministrator(msg.sender);
        _;
    }

    function registerLoans(Registration[] calldata registrations) external {
        uint32 lenderId = _writer();
        uint256 count = registrations.length;
        if (count == 0) revert EmptyBatch();
        bytes32 population = _lenders[lenderId].head;
        for (uint256 i; i < count; ++i) {
            bytes32 loanKey = _register(lenderId, registrations[i]);
            population = Heads.nextOfLender(population, REGISTERED_BY, loanKey);
        }
        _lenders[lenderId].head = population;
    }

    function appendRecords(Record[] calldata records) external {
        uint32 lenderId = _writer();
        uint256 count = records.length;
        if (count == 0) revert EmptyBatch();
        for (uint256 i; i < count;) {
            i = _appendRun(lenderId, records, i);
        }
    }

    function offerTransfer(bytes32 loanKey, uint32 toLenderId, uint32 servicerId, uint64 expiresAt) external {
        uint32 lenderId = _writer();
        _requireController(loanKey, lenderId);
        if (toLenderId == lenderId) revert OfferToSelf(loanKey, lenderId);
        _requireActive(loanKey, toLenderId);
        if (servicerId != 0) _requireActive(loanKey, servicerId);
        _requireOpen(loanKey, expiresAt);
        _offers[loanKey] = Offer(toLenderId, servicerId, expiresAt);
        emit TransferOffered(loanKey, lenderId, toLenderId, servicerId, expiresAt);
    }

    function withdrawOffer(bytes32 loanKey) external {
        _requireController(loanKey, _writer());
        if (_offers[loanKey].toLenderId == 0) revert OfferMissing(loanKey);
        delete _offers[loanKey];
        emit TransferWithdrawn(loanKey);
    }

    function acceptTransfer(bytes32 loanKey, bytes32 expectedHead, bytes32 commitment) external {
        uint32 lenderId = _writer();
        Offer memory offered = _offerTo(loanKey, lenderId);
        _requireOpen(loanKey, offered.expiresAt);
        uint32 servicerId = offered.servicerId == 0 ? lenderId : offered.servicerId;
        // A servicer suspended since the offer could not append: the loan would arrive frozen.
        if (servicerId != lenderId) _requireActive(loanKey, servicerId);

        Loan storage loan = _loans[loanKey];
        bytes32 current = loan.head;
        if (expectedHead != current) revert HistoryChanged(loanKey, expectedHead, current);
        uint32 fromLenderId = loan.controllerId;
        // Suspension may mean stolen keys: what was offered with them must not leave meanwhile.
        _requireActive(loanKey, fromLenderId);

        loan.controllerId = lenderId;
        loan.servicerId = servicerId;
        loan.head = Heads.next(current, Lifecycle.TRANSFER, commitment);
        _lenders[fromLenderId].head = Heads.nextOfLender(_lenders[fromLenderId].head, CONTROL_LEFT, loanKey);
        _lenders[lenderId].head = Heads.nextOfLender(_lenders[lenderId].head, CONTROL_ARRIVED, loanKey);
        delete _offers[loanKey];
        emit RecordAppended(loanKey, Lifecycle.TRANSFER, commitment);
        emit TransferAccepted(loanKey, fromLenderId, lenderId, servicerId);
    }

    function refuseTransfer(bytes32 loanKey) external {
        uint32 lenderId = _writer();
        _offerTo(loanKey, lenderId);
        delete _offers[loanKey];
        emit TransferRefused(loanKey, lenderId);
    }

    function appointServicer(bytes32 loanKey, uint32 servicerId) external {
        _requireController(loanKey, _writer());
        _requireActive(loanKey, servicerId);
        _loans[loanKey].servicerId = servicerId;
        emit ServicerAppointed(loanKey, servicerId);
    }

    function pledge(bytes32 assetTag, bytes32 loanKey) external {
        uint32 lenderId = _writer();
        _requireController(loanKey, lenderId);
        if (lien[assetTag] != 0) revert AssetAlreadyPledged(assetTag, lien[assetTag]);
        lien[assetTag] = loanKey;
        emit AssetPledged(assetTag, loanKey, lenderId);
    }

    function release(bytes32 assetTag) external {
        uint32 lenderId = _writer();
        bytes32 loanKey = lien[assetTag];
        if (loanKey == 0) revert AssetNotPledged(assetTag);
        _requireController(loanKey, lenderId);
        delete lien[assetTag];
        emit AssetReleased(assetTag, loanKey);
    }

    function admitLender(address account) external onlyAdministrator returns (uint32 lenderId) {
        lenderId = ++lenderCount;
        _bind(lenderId, account);
        _lenders[lenderId].active = true;
        emit LenderAdmitted(lenderId, account);
    }

    function addAccount(uint32 lenderId, address account) external onlyAdministrator {
        _requireAdmitted(lenderId);
        _bind(lenderId, account);
        emit AccountAdded(lenderId, account);
    }

    function removeAccount(address account) external onlyAdministrator {
        uint32 lenderId = lenderOf[account];
        if (lenderId == 0) revert NotALender(account);
        delete lenderOf[account];
        emit AccountRemoved(lenderId, account);
    }

    function suspendLender(uint32 lenderId) external onlyAdministrator {
        _requireAdmitted(lenderId);
        if (!_lenders[lenderId].active) revert LenderNotActive(lenderId);
        _lenders[lenderId].active = false;
        emit LenderSuspended(lenderId);
    }

    function reinstateLender(uint32 lenderId) external onlyAdministrator {
        _requireAdmitted(lenderId);
        if (_lenders[lenderId].active) revert LenderNotSuspended(lenderId);
        _lenders[lenderId].active = true;
        emit LenderReinstated(lenderId);
    }

    function pause() external onlyAdministrator {
        if (paused) revert RegistryPaused();
        paused = true;
        emit Paused();
    }

    function unpause() external onlyAdministrator {
        if (!paused) revert RegistryNotPaused();
        paused = false;
        emit Unpaused();
    }

    function offerAdministration(address account) external onlyAdministrator {
        pendingAdministrator = account;
        emit AdministrationOffered(account);
    }

    function acceptAdministration() external {
        if (msg.sender != pendingAdministrator) revert NotPendingAdministrator(msg.sender);
        administrator = msg.sender;
        delete pendingAdministrator;
        emit AdministrationAccepted(msg.sender);
    }

    function standing(bytes32 loanKey) external view returns (uint32 controllerId, uint32 servicerId, uint8 status) {
        Loan storage loan = _loans[loanKey];
        return (loan.controllerId, loan.servicerId, loan.status);
    }

    function head(bytes32 loanKey) external view returns (bytes32) {
        return _loans[loanKey].head;
    }

    function offer(bytes32 loanKey) external view returns (uint32 toLenderId, uint32 servicerId, uint64 expiresAt) {
        Offer storage open = _offers[loanKey];
        return (open.toLenderId, open.servicerId, open.expiresAt);
    }

    function lenderActive(uint32 lenderId) external view returns (bool) {
        return _lenders[lenderId].active;
    }

    function lenderHead(uint32 lenderId) external view returns (bytes32) {
        return _lenders[lenderId].head;
    }

    function _register(uint32 lenderId, Registration calldata registration) private returns (bytes32 loanKey) {
        loanKey = Heads.loanKey(lenderId, registration.nonce);
        Loan storage loan = _loans[loanKey];
        if (loan.status != Lifecycle.NONE) revert LoanExists(loanKey);
        loan.controllerId = lenderId;
        loan.servicerId = lenderId;
        loan.status = Lifecycle.REGISTERED;
        loan.head = Heads.first(loanKey, registration.commitment);
        emit LoanRegistered(loanKey, lenderId, registration.nonce, registration.commitment);
    }

    /// @dev Appends the records from `i` on that belong to one loan, reading and writing its slots once.
    /// @return the index of the first record of the next loan
    function _appendRun(uint32 lenderId, Record[] calldata records, uint256 i) private returns (uint256) {
        Record calldata record = _at(records, i);
        bytes32 loanKey = record.loanKey;
        Loan storage loan = _loans[loanKey];
        uint8 before = loan.status;
        if (before == Lifecycle.NONE) revert LoanUnknown(loanKey);
        if (loan.servicerId != lenderId) revert NotServicer(loanKey, lenderId, loan.servicerId);
        uint8 status = before;
        bytes32 current = loan.head;
        do {
            (bytes32 given, uint8 kind, bytes32 commitment) = (record.previousHead, record.kind, record.commitment);
            // Order before kind: a record sent twice must be told "out of order", whatever status it left behind.
            if (given != current) revert RecordOutOfOrder(loanKey, given, current);
            status = Lifecycle.next(loanKey, status, kind);
            current = Heads.next(current, kind, commitment);
            emit RecordAppended(loanKey, kind, commitment);
            unchecked {
                if (++i == records.length) break;
            }
            record = _at(records, i);
        } while (record.loanKey == loanKey);
        loan.head = current;
        if (status != before) loan.status = status;
        return i;
    }

    /// @dev `records[i]` without a second bounds check: both callers stop at `records.length`. A record is 128 bytes.
    function _at(Record[] calldata records, uint256 i) private pure returns (Record calldata record) {
        assembly ("memory-safe") {
            record := add(records.offset, shl(7, i))
        }
    }

    /// @return lenderId the lender the caller acts for; reverts while the registry is paused or the lender suspended
    function _writer() private view returns (uint32 lenderId) {
        if (paused) revert RegistryPaused();
        lenderId = lenderOf[msg.sender];
        if (lenderId == 0) revert NotALender(msg.sender);
        if (!_lenders[lenderId].active) revert LenderNotActive(lenderId);
    }

    function _bind(uint32 lenderId, address account) private {
        if (account == address(0)) revert AccountZero();
        if (lenderOf[account] != 0) revert AccountTaken(account, lenderOf[account]);
        lenderOf[account] = lenderId;
    }

    function _offerTo(bytes32 loanKey, uint32 lenderId) private view returns (Offer memory offered) {
        offered = _offers[loanKey];
        if (offered.toLenderId == 0) revert OfferMissing(loanKey);
        if (offered.toLenderId != lenderId) revert OfferNotForYou(loanKey, lenderId, offered.toLenderId);
    }

    function _requireController(bytes32 loanKey, uint32 lenderId) private view {
        Loan storage loan = _loans[loanKey];
        if (loan.status == Lifecycle.NONE) revert LoanUnknown(loanKey);
        if (loan.controllerId != lenderId) revert NotController(loanKey, lenderId, loan.controllerId);
    }

    function _requireActive(bytes32 loanKey, uint32 lenderId) private view {
        if (!_lenders[lenderId].active) revert CounterpartyNotActive(loanKey, lenderId);
    }

    function _requireOpen(bytes32 loanKey, uint64 expiresAt) private view {
        if (block.timestamp >= expiresAt) revert OfferExpired(loanKey, expiresAt, uint64(block.timestamp));
    }

    function _requireAdmitted(uint32 lenderId) private view {
        if (lenderId == 0 || lenderId > lenderCount) revert LenderUnknown(lenderId);
    }
}
