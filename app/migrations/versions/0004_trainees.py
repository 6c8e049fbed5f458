"""trainees

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op

import app.db

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('trainee',
    sa.Column('panel_id', sa.String(length=16), nullable=False),
    sa.Column('seat_id', sa.String(length=16), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('appointed_by', sa.String(length=16), nullable=True),
    sa.Column('appointed_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('ended_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('ended_reason', sa.Text(), nullable=False),
    sa.Column('ended_by', sa.String(length=16), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['appointed_by'], ['account.id'], name=op.f('fk_trainee_appointed_by_account')),
    sa.ForeignKeyConstraint(['ended_by'], ['account.id'], name=op.f('fk_trainee_ended_by_account')),
    sa.ForeignKeyConstraint(['panel_id'], ['panel.id'], name=op.f('fk_trainee_panel_id_panel')),
    sa.ForeignKeyConstraint(['seat_id'], ['seat.id'], name=op.f('fk_trainee_seat_id_seat')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_trainee')),
    sa.UniqueConstraint('seat_id', name=op.f('uq_trainee_seat_id'))
    )
    with op.batch_alter_table('trainee', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_trainee_panel_id'), ['panel_id'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('trainee', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_trainee_panel_id'))

    op.drop_table('trainee')
