import type { ComponentChildren } from 'preact';
import type { Failure } from '../../api/failure.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { FailureBox } from '../../parts/states.tsx';

interface ConfirmProps {
  readonly title: string;
  readonly action: string;
  readonly isBusy: boolean;
  readonly failure: Failure | null;
  onConfirm(): void;
  onClose(): void;
  readonly children: ComponentChildren;
}

/** Asks once more before something that cannot be undone. */
export function Confirm({ title, action, isBusy, failure, onConfirm, onClose, children }: ConfirmProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      <div class="form">
        {children}
        {failure && <FailureBox failure={failure} />}
        <div class="actions">
          {/* First, as the focus begins here: Enter must not delete anything. */}
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="button" class="danger" disabled={isBusy} onClick={onConfirm}>
            {action}
          </button>
        </div>
      </div>
    </Dialog>
  );
}
