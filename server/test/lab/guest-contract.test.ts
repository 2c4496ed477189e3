/** A lab guest passes the contract that every live target passes; it dies when its QEMU does. */
import { ensure } from '@faultline/shared';
import { GuestTarget } from '../../src/targets/guest.ts';
import { liveTargetContract } from '../target-contract.ts';
import { bootBare } from './traced-guest.ts';

liveTargetContract(
  'guest',
  async () => new GuestTarget('lab-6.1', await bootBare('6.1')),
  async (target) => {
    if (!(target instanceof GuestTarget)) throw new Error('the contract hands back what it was given');
    process.kill(ensure(target.guest.machine.pid, 'QEMU runs'), 'SIGKILL');
  },
);
