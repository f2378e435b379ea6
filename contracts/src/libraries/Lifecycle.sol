// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ILoanRegistry} from "../interfaces/ILoanRegistry.sol";

/// @title Which kind of record may follow in which status, and the status it leaves behind.
library Lifecycle {
    uint8 internal constant NONE = 0;
    uint8 internal constant REGISTERED = 1;
    uint8 internal constant CANCELLED = 5;

    uint8 internal constant TRANSFER = 12;
    uint8 private constant OTHER = 15;

    // One digit per kind, from AGREEMENT on the left to OTHER on the right: the status after the record, 0 = refused.
    //                                             AGREEMENT
    //                                             |DISBURSEMENT
    //                                             ||REPAYMENT, REVERSAL, FEE, AMENDMENT, RESTRUCTURE
    //                                             |||    CHARGE_OFF
    //                                             |||    |RECOVERY
    //                                             |||    ||SETTLEMENT
    //                                             |||    |||CANCELLATION
    //                                             |||    ||||REOPENING
    //                                             |||    |||||TRANSFER
    //                                             |||    ||||||DISPUTE, ERASURE, OTHER
    uint256 private constant FROM_REGISTERED  = 0x0200000000500111;
    uint256 private constant FROM_ACTIVE      = 0x0222222403500222;
    uint256 private constant FROM_SETTLED     = 0x0000000000020333;
    uint256 private constant FROM_CHARGED_OFF = 0x0000000043020444;
    uint256 private constant FROM_CANCELLED   = 0x0000000000000555;

    uint256 private constant FROM_OPEN =
        FROM_REGISTERED | FROM_ACTIVE << 64 | FROM_SETTLED << 128 | FROM_CHARGED_OFF << 192;

    /// @return after_ the status after a record of `kind`; reverts with KindNotAllowed when it may not follow `status`
    function next(bytes32 loanKey, uint8 status, uint8 kind) internal pure returns (uint8 after_) {
        unchecked {
            uint256 row = status == CANCELLED ? FROM_CANCELLED : FROM_OPEN >> (64 * (uint256(status) - REGISTERED));
            if (kind <= OTHER) after_ = uint8((row >> (4 * (uint256(OTHER) - kind))) & 0xf);
        }
        if (after_ == NONE) revert ILoanRegistry.KindNotAllowed(loanKey, kind, status);
    }
}
